"""What the short ways take and give, as types: the same forms as those of the serializers in orders/api.py."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from orders.events import Item

MOST_ITEMS, MOST_PIECES, LONGEST_SKU = 100, 10_000, 40


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """orders.api.Item"""

    product: Annotated[str, Meta(min_length=1, max_length=LONGEST_SKU)]
    quantity: Annotated[int, Meta(ge=1, le=MOST_PIECES)]


class NewOrder(msgspec.Struct, forbid_unknown_fields=True):
    """orders.api.NewOrder"""

    items: Annotated[list[Line], Meta(min_length=1, max_length=MOST_ITEMS)]


class OrderOut(msgspec.Struct):
    """orders.api.OrderOut"""

    id: UUID
    status: str
    total: Decimal
    currency: str
    items: Sequence[Item]
    placed_at: datetime
    settled_at: datetime | None = None
    reason: str = ""


class Page(msgspec.Struct):
    """A page of a list, as kafka_shop.api.pagination gives it."""

    next: str | None
    previous: str | None
    results: Sequence[OrderOut]
