"""Keys that grow with time: a B-tree takes them at its right edge (RFC 9562, UUID version 7)."""

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A new time-ordered UUID."""
    return _uuid7()
