"""What a search finds: rows by a UUID, an exact text, or a customer's name. Each is looked up in an index; parts of words are not found."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, QuerySet

from kafka_shop.users.models import User

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # within anything: an event's id names its order


@dataclass(frozen=True, kw_only=True)
class Searched:
    """The columns that a table is searched by, the likeliest first."""

    ids: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    customer: str = ""  # the column with the id of a user, who may be called by name
    within: dict[str, Any] = field(default_factory=dict)  # what makes an index of texts usable, as its first column

    def find(self, queryset: QuerySet[Model], term: str) -> QuerySet[Model]:
        """The rows that a term means by the first of the columns where there are any, or none."""
        for condition in self._conditions(term.strip()):
            if queryset.filter(**condition).exists():
                return queryset.filter(**condition)
        return queryset.none()

    def _conditions(self, term: str) -> Iterator[dict[str, Any]]:
        yield from ({column: term} | self.within for column in self.texts)
        if found := UUID.search(term):
            yield from ({column: found[0]} for column in self.ids)
        elif self.customer:
            yield from ({self.customer: user} for user in User.objects.filter(username=term).values_list("id", flat=True))
