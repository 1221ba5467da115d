"""Which form an answer has."""

from collections.abc import Iterable
from typing import Any

from django.http import Http404
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer


class Negotiation(DefaultContentNegotiation):
    """By `Accept`, or by the query parameter `format`, which is 400 when it names none, as other parameters are."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> Any:
        try:
            return super().filter_renderers(renderers, format)
        except Http404 as error:
            raise ValidationError({"format": [ErrorDetail("There is no such format.", code="invalid_choice")]}) from error
