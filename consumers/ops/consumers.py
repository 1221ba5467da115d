"""ops/consumers/: pausing and resuming."""

from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from consumers.ops.permissions import OpsViewSet
from consumers.ops.wishes import MAY_PAUSE, pause_consumer, resume_consumer
from kafka_shop.api.fields import Moment
from kafka_shop.api.serializers import Nothing
from kafka_shop.users.models import User


class ConsumerOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    paused = serializers.BooleanField()
    since = Moment(allow_null=True)
    by = serializers.CharField()
    example = {"name": "billing", "paused": True, "since": "2026-01-31T12:00:00Z", "by": "admin"}


class ConsumerViewSet(OpsViewSet):
    """The consumers that this process serves."""

    lookup_field, lookup_value_converter = "name", "str"
    inputs = {"pause": Nothing, "resume": Nothing}
    outputs = {"pause": ConsumerOut, "resume": ConsumerOut}
    may_act = {"pause": MAY_PAUSE, "resume": MAY_PAUSE}

    @action(detail=True, methods=["post"])
    def pause(self, request: Request, name: str) -> Response:
        """Wishes that it stands still; it obeys within about a second, and over HTTP at once. One that is paused stays as it is."""
        self.body()
        found = pause_consumer(name=served(name), user=cast(User, request.user), now=timezone.now())
        return Response(ConsumerOut({"name": name, "paused": True, "since": found.since, "by": found.by}).data)

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, name: str) -> Response:
        """Takes the wish back."""
        self.body()
        resume_consumer(name=served(name), user=cast(User, request.user))
        return Response(ConsumerOut({"name": name, "paused": False, "since": None, "by": ""}).data)


def served(name: str) -> str:
    """A consumer's name. Raises NotFound for one that there is not, or not here."""
    if name not in settings.SERVICES:
        raise NotFound
    return name
