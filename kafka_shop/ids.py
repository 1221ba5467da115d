"""Keys that grow with time: a B-tree takes them at its right edge (RFC 9562, UUID version 7)."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A new time-ordered UUID."""
    return _uuid7()


def uuid7_text() -> str:
    """The same as text, for a third of the work, for what is only written."""
    return str(uuid_utils.uuid7())


def first_id_of(time: datetime, *, seconds: float = 0.0) -> UUID:
    """The least UUID of version 7 that can be drawn at a time, or so many seconds after it; not before 1970."""
    milliseconds = max(0, int((time.timestamp() + seconds) * 1000))
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)


def time_of(id: UUID) -> datetime:
    """When a UUID of version 7 was drawn, to the millisecond."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)
