"""What lists are filtered by: values as strict as those of bodies."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django import forms
from django.db.models import QuerySet
from django.urls.converters import UUIDConverter
from django_filters import rest_framework as filters

from kafka_shop.ids import first_id_of

UUID_TEXT = re.compile(UUIDConverter.regex)  # as in paths
KEY_DRAWN_WITHIN_SECONDS = 3600.0
RFC_3339 = Annotated[datetime, msgspec.Meta(tz=True)]


class MomentField(forms.CharField):
    """A time with its offset, as RFC 3339 writes it, of the years 1 to 9999 in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"strip": False} | kwargs))

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return msgspec.convert(text, RFC_3339).astimezone(UTC) if text else None
        except (msgspec.ValidationError, OverflowError) as error:
            raise forms.ValidationError("Give a time as in 2026-01-31T12:00:00Z.", code="invalid") from error


class IdField(forms.CharField):
    """A UUID as the API writes it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"strip": False} | kwargs))

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text and not UUID_TEXT.fullmatch(text):
            raise forms.ValidationError("Give an id as the API writes it.", code="invalid")
        return UUID(text) if text else None


class Filters(filters.FilterSet):  # type: ignore[misc]  # django-filter ships no types
    """The base of every list's filters. A panel shows each under the name of its parameter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, each in self.filters.items():
            each.label = name


class MomentFilter(filters.Filter):  # type: ignore[misc]  # django-filter ships no types
    """Compares with a time: `lookup_expr="gte"` for `…_after`, "lt" for `…_before`, so that windows meet without a gap.

    It is the time at which rows were made: their keys were drawn then, give or take KEY_DRAWN_WITHIN_SECONDS. So the key bounds what is
    looked at, in lists that are in its order: a window of years ago is found as quickly as one of today.
    """

    field_class = MomentField

    def filter(self, rows: QuerySet[Any], time: datetime | None) -> QuerySet[Any]:
        if time is None:
            return rows
        late = KEY_DRAWN_WITHIN_SECONDS if self.lookup_expr == "lt" else -KEY_DRAWN_WITHIN_SECONDS
        found: QuerySet[Any] = super().filter(rows, time)
        return found.filter(**{f"id__{self.lookup_expr}": first_id_of(time, seconds=late)})


class IdFilter(filters.Filter):  # type: ignore[misc]  # django-filter ships no types
    """Compares with an id."""

    field_class = IdField


class TextFilter(filters.CharFilter):  # type: ignore[misc]  # django-filter ships no types
    """Compares with a text as it was sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"strip": False, "max_length": 500} | kwargs))
