"""The event tables as staff see them: to read. With databases apart those of one database at a time, which is chosen beside the list."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict

from consumers.models import DeadLetter, Position
from kafka_shop.api.admin import ReadOnly
from kafka_shop.databases import served_aliases
from kafka_shop.messaging.models import OutboxRow, PublishedLog


class Database(admin.SimpleListFilter):
    """Names the databases of the services that this process serves, where there are several; the table itself reads the chosen one."""

    title = parameter_name = "database"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        self._shown, aliases = shown_database(request), served_aliases()
        return [(alias, alias) for alias in aliases] if len(aliases) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for alias, display in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: alias})
            yield {"selected": alias == self._shown, "query_string": query, "display": display}


def shown_database(request: HttpRequest) -> str:
    """The database that was chosen, on a list or before a row of it was opened; else that of the first service."""
    before = QueryDict(request.GET.get("_changelist_filters", ""))
    chosen = request.GET.get(Database.parameter_name) or before.get(Database.parameter_name)
    return next((alias for alias in served_aliases() if alias == chosen), served_aliases()[0])


class EventTable(ReadOnly):
    """A table that every service's database has a copy of."""

    list_filter = [Database]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return super().get_queryset(request).using(shown_database(request))


@admin.register(Position)
class PositionAdmin(EventTable):
    list_display = ["consumer", "topic", "partition", "position", "owner", "moved_at", "beat_at"]
    ordering = ["consumer", "topic", "partition"]


@admin.register(DeadLetter)
class DeadLetterAdmin(EventTable):
    list_display = ["failed_at", "consumer", "event_type", "subject", "reason", "attempts", "outcome"]
    list_filter = [Database, "consumer", "outcome"]
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
    list_filter = [Database, "destination", "resent"]
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
