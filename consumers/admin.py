"""The event tables as staff see them: to read. With databases apart it is those of the first service that this process serves."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from consumers.models import DeadLetter, Position
from kafka_shop.api.admin import ReadOnly
from kafka_shop.databases import served_aliases
from kafka_shop.messaging.models import OutboxRow, PublishedLog


class EventTable(ReadOnly):
    """A table that every service's database has a copy of."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).using(served_aliases()[0])


@admin.register(Position)
class PositionAdmin(EventTable):
    list_display = ["consumer", "topic", "partition", "position", "owner", "moved_at", "beat_at"]
    ordering = ["consumer", "topic", "partition"]


@admin.register(DeadLetter)
class DeadLetterAdmin(EventTable):
    list_display = ["failed_at", "consumer", "event_type", "subject", "reason", "attempts", "outcome"]
    list_filter = ["consumer", "outcome"]
    search_fields = ["subject", "identity"]
    ordering = ["-id"]
    exclude = ["key", "value"]
    readonly_fields = ["message"]

    @admin.display(description="message, as it came")
    def message(self, letter: DeadLetter) -> str:
        return bytes(letter.value or b"").decode(errors="replace")


@admin.register(OutboxRow)
class OutboxRowAdmin(EventTable):
    list_display = ["number", "destination", "event_id", "resent", "attempts", "not_before", "refused", "created_at"]
    list_filter = ["destination", "resent"]
    search_fields = ["event_id"]
    ordering = ["number"]
    exclude = ["event"]
    readonly_fields = ["content"]

    @admin.display(description="event")
    def content(self, row: OutboxRow) -> str:
        return bytes(row.event).decode()


@admin.register(PublishedLog)
class PublishedLogAdmin(EventTable):
    list_display = ["destination", "identity", "seen_at", "republish_since"]
    ordering = ["destination"]
