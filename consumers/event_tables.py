"""Tables that each service's database has a copy of, as staff see them: those of one at a time, which is chosen beside the list."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict

from kafka_shop.databases import served_aliases
from kafka_shop.staff.base import ReadOnly


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).using(shown_database(request))
