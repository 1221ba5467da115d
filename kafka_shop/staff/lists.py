"""Lists of tables of any size: counts that stop at a limit, filters whose numbers are of the newest rows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from kafka_shop.staff.periods import Link, Period

MOST = 10_000  # rows that are counted, and that can be paged through; a period or a filter leads to the others


if TYPE_CHECKING:
    Pages = Paginator[Any]
else:
    Pages = Paginator  # takes its parameter in the stubs only


class CappedPaginator(Pages):
    """Counts no further than MOST."""

    template_name = "staff/pagination.html"  # unfold asks for it
    most = MOST

    @cached_property
    def counted(self) -> int:
        return cast(QuerySet[Any], self.object_list).order_by()[: MOST + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self.counted, MOST)

    @property
    def has_more(self) -> bool:
        return self.counted > MOST


class StaffList(ChangeList):
    """A list that knows of no other number of rows than the one that was counted."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count

    def periods(self) -> list[Link]:
        """What leads to the rows of a year, a month or a day, where the list has that."""
        return [link for each in self.filter_specs if isinstance(each, Period) for link in each.links(self)]


class Among(admin.SimpleListFilter):
    """Rows with one value of a column; beside each value, how many of the newest MOST rows have it."""

    title = parameter_name = ""
    values: Iterable[str] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(self.condition(value)) if (value := self.value()) else queryset

    def condition(self, value: str) -> Q:
        """What finds the rows with a value, by an index where most rows have another."""
        return Q(**{self.parameter_name: value})

    def get_facet_queryset(self, changelist: ChangeList) -> dict[str, int]:
        newest = changelist.get_queryset(self.request, exclude_parameters=self.expected_parameters())[:MOST]
        numbers = {f"{index}__c": Count("pk", filter=self.condition(value)) for index, (value, _) in enumerate(self.lookup_choices)}
        return newest.aggregate(**numbers)


def among(column: str, values: Iterable[str], **own: Any) -> type[Among]:
    """A filter by a column's values; `own` may give it a title or a condition."""
    return type("Filter", (Among,), {"title": column.replace("_", " "), "parameter_name": column, "values": values} | own)
