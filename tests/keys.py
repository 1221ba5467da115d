"""Keys of the past."""

from datetime import datetime
from uuid import UUID

from kafka_shop.ids import first_id_of, uuid7


def drawn_at(time: datetime) -> UUID:
    """A new UUID of version 7, as it would have been drawn at a time."""
    return UUID(int=first_id_of(time).int + uuid7().int % 2**60)
