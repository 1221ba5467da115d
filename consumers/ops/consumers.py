"""ops/consumers/: pausing and resuming."""

from typing import Any

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from consumers.models import Pause
from consumers.ops.permissions import OpsViewSet
from consumers.pausing import pause, resume
from kafka_shop.api.fields import Moment
from kafka_shop.api.serializers import Nothing


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
    subject_of_permission = "pause"

    @action(detail=True, methods=["post"])
    def pause(self, request: Request, name: str) -> Response:
        """Wishes that it stands still; it obeys within about a second, and over HTTP at once. One that is paused stays as it is."""
        self.body()
        found = pause(name=served(name), by=request.user.get_username(), now=timezone.now())
        self.note(found, "Paused.")
        return Response(ConsumerOut({"name": name, "paused": True, "since": found.since, "by": found.by}).data)

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, name: str) -> Response:
        """Takes the wish back."""
        self.body()
        if resume(name=served(name)):
            self.note(Pause(consumer=name), "Resumed.")
        return Response(ConsumerOut({"name": name, "paused": False, "since": None, "by": ""}).data)

    def note(self, about: Pause, what: str) -> None:
        """Writes the admin's log."""
        LogEntry.objects.log_actions(self.customer, [about], CHANGE, what, single_object=True)


def served(name: str) -> str:
    """A consumer's name. Raises NotFound for one that there is not, or not here."""
    if name not in settings.SERVICES:
        raise NotFound
    return name
