"""Orders in the database and billing's events about them, for all tests of this service."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec

from billing.events import InvoiceRefunded, InvoiceSettled
from kafka_shop.databases import rows
from kafka_shop.ids import uuid7
from kafka_shop.messaging.envelope import from_json
from kafka_shop.messaging.events import Event, Received
from orders import services
from orders.events import OrderCancelled, OrderPlaced, OrderSettled
from orders.models import Order, OrderLine

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TYPES: dict[str, type[Event]] = {kind.type: kind for kind in (OrderPlaced, OrderCancelled, OrderSettled)}


def place(*, customer_id: UUID | None = None, items: Sequence[tuple[str, int]] = (("TEA-001", 2),), now: datetime = NOW) -> Order:
    """An order, by default of two teas at 7.50."""
    return services.place_order(customer_id=customer_id or uuid7(), items=items, now=now)


def many(count: int) -> list[Order]:
    """Pending orders of 12.50 with a line each, made at once."""
    orders = [Order(customer_id=uuid7(), total=Decimal("12.50"), currency="EUR", placed_at=NOW, sweep_from=NOW) for _ in range(count)]
    Order.objects.bulk_create(orders)
    OrderLine.objects.bulk_create([OrderLine(order=order, product="TEA-001", quantity=1, price=Decimal("12.50")) for order in orders])
    return orders


def settled(
    order: Order, outcome: Literal["paid", "declined"] = "paid", *, at: datetime = NOW + MINUTE, offset: int = 7, **changes: Any
) -> Received[InvoiceSettled]:
    event = InvoiceSettled(
        order_id=order.id,
        customer_id=order.customer_id,
        invoice_id=uuid7(),
        amount=order.total,
        currency=order.currency,
        outcome=outcome,
        reason="" if outcome == "paid" else "insufficient_funds",
        settled_at=at,
    )
    return Received(msgspec.structs.replace(event, **changes), at, 1, offset)


def refunded(order: Order, *, at: datetime = NOW + 3 * MINUTE, offset: int = 9, **changes: Any) -> Received[InvoiceRefunded]:
    event = InvoiceRefunded(
        order_id=order.id,
        customer_id=order.customer_id,
        invoice_id=uuid7(),
        amount=order.total,
        currency=order.currency,
        refunded_at=at,
    )
    return Received(msgspec.structs.replace(event, **changes), at, 0, offset)


def outbox(alias: str = "default") -> list[Event]:
    """The facts that wait in the outbox, in the order in which they leave."""
    envelopes = [from_json(bytes(event)) for (event,) in rows(alias, "SELECT event FROM messaging_outboxrow ORDER BY number")]
    return [msgspec.json.decode(envelope.data, type=TYPES[envelope.type]) for envelope in envelopes]


def outbox_ids(alias: str = "default") -> list[str]:
    return [fact.id for fact in outbox(alias)]


def empty_outbox(alias: str = "default") -> None:
    """Everything was published."""
    rows(alias, "DELETE FROM messaging_outboxrow RETURNING number")
