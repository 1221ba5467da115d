"""What the engine, the relay and the API remember, as staff see it: to read."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from consumers import letters_admin  # noqa: F401  registers the dead letters
from consumers.event_tables import Database, EventTable
from consumers.models import Pause, Position
from consumers.routes import PUBLISHERS
from kafka_shop.api.models import IdempotencyKey
from kafka_shop.messaging.models import OutboxRow, PublishedLog
from kafka_shop.staff import links
from kafka_shop.staff.lists import Among, among
from kafka_shop.staff.marks import column
from kafka_shop.staff.periods import ByTime
from kafka_shop.staff.searching import Searched


def on_the_home() -> str:
    """Where the button is."""
    return links.page("index", text="resume it on the home")


@admin.register(Position)
class PositionAdmin(EventTable):
    list_display = ["consumer", "topic", "partition", "position", "owner", "moved_at", "beat_at", "wish"]
    ordering = ["consumer", "topic", "partition"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        paused = Exists(Pause.objects.filter(consumer=OuterRef("consumer")))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(paused=paused)
        return rows

    @column("wish")
    def wish(self, row: Any) -> str:
        return format_html("paused, {}", on_the_home()) if row.paused else ""


@admin.register(Pause)
class PauseAdmin(EventTable):
    list_display = ["consumer", "since", "by", "way_out"]

    @column("way out")
    def way_out(self, pause: Pause) -> str:
        return on_the_home()


class RowState(Among):
    title, parameter_name, values = "state", "state", ("new", "resent", "refused")

    def condition(self, value: str) -> Q:
        """By the indexes of what is pending and of what is refused, which begin with the destination."""
        pending = Q(refused="", destination__in=sorted(PUBLISHERS))
        refused = ~Q(refused="") & Q(destination__in=sorted(PUBLISHERS))
        return {"new": pending & Q(resent=False), "resent": pending & Q(resent=True), "refused": refused}.get(value, Q())


@admin.register(OutboxRow)
class OutboxRowAdmin(EventTable):
    list_display = ["number", "destination", "event_id", "customer", "resent", "attempts", "not_before", "refused", "created_at"]
    list_filter = [RowState, among("destination", sorted(PUBLISHERS)), Database]
    ordering = ["number"]
    unlisted = ["event"]
    searched = Searched(texts=("event_id",), within={"destination__in": sorted(PUBLISHERS)})
    exclude = ["event"]
    readonly_fields = ["customer", "content"]

    @column("customer")
    def customer(self, row: OutboxRow) -> str:
        return links.customer(row.key)

    @column("event")
    def content(self, row: OutboxRow) -> str:
        return bytes(row.event).decode()


@admin.register(PublishedLog)
class PublishedLogAdmin(EventTable):
    list_display = ["destination", "identity", "seen_at", "republish_since"]
    ordering = ["destination"]


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(EventTable):
    list_display = ["created_at", "caller", "path", "key", "status"]
    list_filter = [Database, ByTime]
    ordering = ["-created_at"]
    unlisted = ["headers", "body"]
    searched = Searched(ids=("owner",), customer="owner")
    exclude = ["owner"]
    readonly_fields = ["caller"]

    @column("caller")
    def caller(self, key: IdempotencyKey) -> str:
        return links.customer(key.owner)
