"""What lists are filtered by."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django import forms
from django_filters import rest_framework as filters

RFC_3339 = Annotated[datetime, msgspec.Meta(tz=True)]


class MomentField(forms.CharField):
    """A time with its offset, as RFC 3339 writes it."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return msgspec.convert(text, RFC_3339) if text else None
        except msgspec.ValidationError as error:
            raise forms.ValidationError("Give a time as in 2026-01-31T12:00:00Z.", code="invalid") from error


class Filters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """The base of every list's filters."""


class MomentFilter(filters.Filter):  # type: ignore[misc]  # django-filter ships no types
    """Compares with a time: `lookup_expr="gte"` for `…_after`, "lt" for `…_before`, so that windows meet without a gap."""

    field_class = MomentField
