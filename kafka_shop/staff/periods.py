"""A list by year, month and day, as the admin's date hierarchy, without its scans: along a UUID of version 7 or an indexed time."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from kafka_shop.ids import first_id_of, time_of

FORMS = ("%Y", "%Y-%m", "%Y-%m-%d")
Link = dict[str, Any]


class Period(admin.SimpleListFilter):
    """The rows of a year, a month or a day. Which are offered is reckoned from the oldest and the newest row."""

    title = parameter_name = "period"
    template = "staff/nothing.html"  # it is shown above the list, by staff/periods.html
    column = "id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]  # without any the admin would pass it by

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        if (chosen := span(self.value() or "")) is None:
            return queryset
        start, end = (self.key(day) for day in chosen)
        return queryset.filter(**{f"{self.column}__gte": start, f"{self.column}__lt": end})

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        return iter(())

    def links(self, changelist: ChangeList) -> Iterator[Link]:
        """One level up, where one is, and the periods within it."""
        chosen = value if span(value := self.value() or "") else ""
        if chosen:
            yield self._link(changelist, chosen.rpartition("-")[0], text="‹ back")
            yield {"text": chosen, "link": ""}
        if (level := len(chosen.split("-")) if chosen else 0) < len(FORMS) and (ends := self._ends(changelist.root_queryset)):
            for each in within(chosen, FORMS[level], *ends):
                yield self._link(changelist, each, text=each)

    def key(self, day: date) -> UUID | datetime:
        """The least value of the column on a day."""
        start = timezone.make_aware(datetime(day.year, day.month, day.day))
        return first_id_of(start) if self.column == "id" else start

    def time(self, key: Any) -> datetime:
        """When a row with this value was made."""
        return timezone.localtime(time_of(key) if self.column == "id" else key)

    def _link(self, changelist: ChangeList, period: str, *, text: str) -> Link:
        query = {self.parameter_name: period} if period else {}
        return {"text": text, "link": changelist.get_query_string(query, remove=["p", self.parameter_name])}

    def _ends(self, queryset: QuerySet[Model]) -> list[date]:
        """The days of the oldest and the newest row, by two looks at the index."""
        keys = [queryset.order_by(way + self.column).values_list(self.column, flat=True).first() for way in ("", "-")]
        return [self.time(key).date() for key in keys if key is not None]


class ByTime(Period):
    """The same by an indexed time."""

    column = "created_at"


def span(period: str) -> tuple[date, date] | None:
    """The first day of a period, and the first day after it; None for what is no period."""
    for form in FORMS:
        try:
            start = datetime.strptime(period, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        return start, following(start, form)
    return None


def following(start: date, form: str) -> date:
    """The first day after the period of this form that begins on a day."""
    longest = {"%Y": 366, "%Y-%m": 31, "%Y-%m-%d": 1}[form]
    after = start + timedelta(days=longest)
    return {"%Y": after.replace(month=1, day=1), "%Y-%m": after.replace(day=1), "%Y-%m-%d": after}[form]


def within(period: str, form: str, oldest: date, newest: date) -> Iterator[str]:
    """The periods of a form within a longer one, as far as there may be rows."""
    start, end = span(period) or (oldest, newest + timedelta(days=1))
    day = max(start, oldest)
    while day < end and day <= newest:
        text = day.strftime(form)
        yield text
        day = following(datetime.strptime(text, form).replace(tzinfo=UTC).date(), form)
