"""Rows of the past are deleted along their key, which grows with time: a few in each transaction, so that nobody waits for it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from kafka_shop.databases import limited_transaction, rows, run
from kafka_shop.ids import first_id_of

COUNT = "SELECT count(*) FROM {table} WHERE id < %s AND {condition}"
EDGE = "SELECT id FROM {table} WHERE id >= %s AND id < %s ORDER BY id OFFSET %s LIMIT 1"
DELETE = "DELETE FROM {table} WHERE id >= %s AND id < %s AND {condition}"


@dataclass
class OldRows:
    """The rows of a table that were made before a time, and for which a condition holds. Their ids are UUIDs of version 7."""

    alias: str
    table: str
    before: datetime
    condition: str = "true"
    _from: UUID = field(default=UUID(int=0), init=False)  # what lies before it is done with; nothing looks at it again

    def count(self) -> int:
        return int(rows(self.alias, COUNT.format(**vars(self)), first_id_of(self.before))[0][0])

    def step(self, limit: int) -> int | None:
        """Deletes the old ones of the next `limit` rows; returns how many. None: it has come to the end."""
        end = first_id_of(self.before)
        if self._from >= end:
            return None
        with limited_transaction(self.alias):
            edge = next((id for (id,) in rows(self.alias, EDGE.format(**vars(self)), self._from, end, limit)), end)
            deleted = run(self.alias, DELETE.format(**vars(self)), self._from, edge)
        self._from = edge
        return deleted
