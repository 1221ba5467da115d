"""The facts that orders publishes; the only door to its siblings."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

import msgspec

from kafka_shop.messaging.events import Event, Time


class Item(msgspec.Struct, frozen=True):
    """One line of an order."""

    product: str  # the SKU
    quantity: int
    price: Decimal  # of one piece, in the order's currency


class OrderPlaced(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shop.order.placed.v1"
    source: ClassVar[str] = "/orders"
    destination: ClassVar[str] = "order-topic"

    amount: Decimal
    currency: str
    items: tuple[Item, ...]
    placed_at: Time

    @property
    def id(self) -> str:
        return f"order.placed:{self.subject}"

    @property
    def time(self) -> datetime:
        return self.placed_at


class OrderCancelled(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shop.order.cancelled.v1"
    source: ClassVar[str] = "/orders"
    destination: ClassVar[str] = "order-topic"

    cancelled_at: Time

    @property
    def id(self) -> str:
        return f"order.cancelled:{self.subject}"

    @property
    def time(self) -> datetime:
        return self.cancelled_at


class OrderSettled(Event, frozen=True, kw_only=True):
    """An order reached an end that its customer hears of."""

    type: ClassVar[str] = "shop.order.settled.v1"
    source: ClassVar[str] = "/orders"
    destination: ClassVar[str] = "notify-topic"

    outcome: Literal["paid", "rejected", "cancelled", "refunded"]
    amount: Decimal
    currency: str
    reason: str = ""
    settled_at: Time

    @property
    def id(self) -> str:
        return f"order.settled:{self.subject}:{self.outcome}"

    @property
    def time(self) -> datetime:
        return self.settled_at
