"""One list of rows that live in several databases, for the paginator."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet


class Merged:
    """Looks like one queryset that is ordered by a unique column: what a cursor pagination asks of it."""

    def __init__(self, parts: Sequence[QuerySet[Any]]) -> None:
        self._parts = parts
        self.model: type[Model] = parts[0].model
        self.query = parts[0].query

    def order_by(self, *names: str) -> "Merged":
        return Merged([part.order_by(*names) for part in self._parts])

    def filter(self, **wanted: Any) -> "Merged":
        return Merged([part.filter(**wanted) for part in self._parts])

    def __getitem__(self, wanted: slice) -> list[Any]:
        """Reads no more of each part than the slice may need."""
        name = str(self.query.order_by[0])
        found = [row for part in self._parts for row in part[: wanted.stop]]
        return sorted(found, key=lambda row: getattr(row, name.lstrip("-")), reverse=name.startswith("-"))[wanted]
