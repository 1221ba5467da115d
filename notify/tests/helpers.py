"""Settled orders, for all tests of this service."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from kafka_shop.ids import uuid7
from kafka_shop.messaging.events import Received
from orders.events import OrderSettled

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
Outcome = Literal["paid", "rejected", "cancelled", "refunded"]


def settled(
    outcome: Outcome = "paid",
    *,
    order_id: UUID | None = None,
    customer_id: UUID | None = None,
    amount: str = "12.50",
    reason: str = "",
    at: datetime = NOW,
    offset: int = 7,
) -> Received[OrderSettled]:
    event = OrderSettled(
        order_id=order_id or uuid7(),
        customer_id=customer_id or uuid7(),
        outcome=outcome,
        amount=Decimal(amount),
        currency="EUR",
        reason=reason,
        settled_at=at,
    )
    return Received(event, at, 1, offset)
