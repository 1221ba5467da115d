"""What may happen to an order: pure functions of what is known.

For each order, any order and any number of deliveries of its events ends in the same state.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from kafka_shop.messaging.events import Conflict
from kafka_shop.money import LARGEST
from orders.errors import NotCancellable, UnknownProducts, Unplaceable
from orders.events import Item

LONGEST_PAUSE_SECONDS = 24 * 60 * 60  # between two sweeps of an order


class Order(msgspec.Struct, frozen=True):
    """What is known of an order. Its facts are written once, each with its time."""

    id: UUID
    customer_id: UUID
    total: Decimal
    currency: str
    paid_at: datetime | None = None
    rejected_at: datetime | None = None
    cancelled_at: datetime | None = None
    refunded_at: datetime | None = None
    late_paid_at: datetime | None = None  # the payment found the order cancelled
    reason: str = ""  # why it was rejected
    settled_partition: int | None = None
    settled_offset: int | None = None
    refunded_partition: int | None = None
    refunded_offset: int | None = None

    @property
    def pending(self) -> bool:
        return self.paid_at is None and self.rejected_at is None and self.cancelled_at is None

    @property
    def cancelled_by_refund(self) -> bool:
        """Nobody cancelled it: billing gave the money back by itself, and both facts have one time."""
        return self.refunded_at is not None and self.refunded_at == self.cancelled_at

    @property
    def refund_awaited_from(self) -> datetime | None:
        """Since when the money of a cancelled order is awaited back; None: it is not."""
        if self.cancelled_at is None or self.refunded_at:
            return None
        return self.late_paid_at or (self.cancelled_at if self.paid_at else None)


class Result(msgspec.Struct, frozen=True):
    """What billing says of an order, when it was read and where."""

    order_id: UUID
    customer_id: UUID
    amount: Decimal
    currency: str
    outcome: Literal["paid", "declined", "refunded"]
    at: datetime
    partition: int | None = None
    offset: int | None = None
    reason: str = ""


def price(items: Sequence[tuple[str, int]], catalogue: Mapping[str, tuple[Decimal, str]]) -> tuple[list[Item], Decimal, str]:
    """Lines, total and currency of an order of (SKU, quantity), by a catalogue {SKU: (price, currency)}. Raises Unplaceable."""
    if missing := [sku for sku, _ in items if sku not in catalogue]:
        raise UnknownProducts(missing)
    lines = [Item(product=sku, quantity=quantity, price=catalogue[sku][0]) for sku, quantity in items]
    currencies = sorted({catalogue[sku][1] for sku, _ in items})
    if len(currencies) != 1:
        raise Unplaceable(f"an order is in one currency, not in {' and '.join(currencies) or 'none'}: order them apart")
    total = sum((line.price * line.quantity for line in lines), Decimal("0.00"))
    if total > LARGEST:
        raise Unplaceable(f"an order costs at most {LARGEST}, not {total}: order less")
    return lines, total, currencies[0]


def cancel(order: Order, *, at: datetime) -> Order:
    """The order as its customer cancels it. Raises NotCancellable."""
    if order.rejected_at or order.cancelled_at:
        state = "rejected" if order.rejected_at else "cancelled"
        raise NotCancellable(f"order {order.id} is {state}: only a pending or a paid one can be cancelled")
    return replace(order, cancelled_at=at)


def apply(order: Order, result: Result) -> Order:
    """The order after billing's result; the very same when the result is known. Raises Conflict when the two contradict each other."""
    refuse_contradiction(order, result)
    return refund(order, result) if result.outcome == "refunded" else settle(order, result)


def refuse_contradiction(order: Order, result: Result) -> None:
    """Raises Conflict when the invoice is another order's, or its outcome excludes what the order has come to."""
    if (order.customer_id, order.total, order.currency) != (result.customer_id, result.amount, result.currency):
        raise Conflict(f"order {order.id} has another customer, amount or currency than its invoice {result.outcome}")
    if result.outcome == "declined" and (order.paid_at or order.late_paid_at or order.refunded_at):
        raise Conflict(f"order {order.id} was paid, its invoice cannot be declined")
    if result.outcome != "declined" and order.rejected_at:
        raise Conflict(f"order {order.id} was rejected, its invoice cannot be {result.outcome}")


def settle(order: Order, result: Result) -> Order:
    """A result moves a pending order only. A payment that finds it cancelled is kept as late, so that the money is asked back."""
    if order.pending:
        fact = "paid_at" if result.outcome == "paid" else "rejected_at"
    elif result.outcome == "paid" and not (order.paid_at or order.late_paid_at):
        fact = "late_paid_at"
    else:
        return order
    reason = result.reason if fact == "rejected_at" else ""
    return replace(order, **{fact: result.at}, reason=reason, settled_partition=result.partition, settled_offset=result.offset)


def refund(order: Order, result: Result) -> Order:
    """Money that comes back cancels an order that was not cancelled."""
    if order.refunded_at:
        return order
    return replace(
        order,
        cancelled_at=order.cancelled_at or result.at,
        refunded_at=result.at,
        refunded_partition=result.partition,
        refunded_offset=result.offset,
    )


def sweep_from(sweeps: int, after_seconds: int, now: datetime) -> datetime:
    """When billing was asked for the n-th time now: the time that the next sweep comes `after_seconds` after.

    The first comes `after_seconds` after the order began to wait, each of the others twice as late as the one before, up to a day.
    """
    pause = max(after_seconds, min(after_seconds * 2**sweeps, LONGEST_PAUSE_SECONDS))
    return now + timedelta(seconds=pause - after_seconds)
