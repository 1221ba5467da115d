"""The facts that an order has stored, made from its columns: with the same id, time and content each time."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, get_args

from orders.events import Item, OrderCancelled, OrderPlaced, OrderSettled
from orders.rules import Order

Outcome = Literal["paid", "rejected", "cancelled", "refunded"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)


def placement(order: Order, placed_at: datetime, items: Sequence[Item]) -> OrderPlaced:
    """What asks billing for the money."""
    return OrderPlaced(
        order_id=order.id,
        customer_id=order.customer_id,
        amount=order.total,
        currency=order.currency,
        items=tuple(items),
        placed_at=placed_at,
    )


def cancellation(order: Order) -> list[OrderCancelled]:
    """What asks billing for the money back; nothing when billing gave it back by itself."""
    if order.cancelled_at is None or order.cancelled_by_refund:
        return []
    return [OrderCancelled(order_id=order.id, customer_id=order.customer_id, cancelled_at=order.cancelled_at)]


def ends(order: Order, among: Collection[str] = OUTCOMES) -> list[OrderSettled]:
    """What the customer hears of. A late payment is not among it."""
    times: dict[Outcome, datetime | None] = {
        "paid": order.paid_at,
        "rejected": order.rejected_at,
        "cancelled": order.cancelled_at,
        "refunded": order.refunded_at,
    }
    return [_settled(order, outcome, at) for outcome, at in times.items() if at and outcome in among]


def following(order: Order, outcome: Literal["paid", "declined", "refunded"]) -> list[OrderSettled]:
    """What follows from billing's result, whether it moved the order now, long ago, or not at all."""
    if outcome == "refunded":
        return ends(order, ("cancelled", "refunded") if order.cancelled_by_refund else ("refunded",))
    return ends(order, ("paid",) if outcome == "paid" else ("rejected",))


def _settled(order: Order, outcome: Outcome, at: datetime) -> OrderSettled:
    return OrderSettled(
        order_id=order.id,
        customer_id=order.customer_id,
        outcome=outcome,
        amount=order.total,
        currency=order.currency,
        reason=order.reason,
        settled_at=at,
    )
