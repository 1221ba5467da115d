"""What proves the orders: what their database alone can tell, and what the audit compares with billing and with the letters."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q

from kafka_shop.databases import columns, rows
from kafka_shop.findings import Finding
from orders.models import FACTS_AGREE, SWEEP_AGREES, Order, Status

CHUNK = 10_000
OUTCOMES = ("cancelled", "paid", "refunded", "rejected")  # sorted
WRONG_TOTALS = """
SELECT COALESCE(this.id, line.order_id) AS id, COALESCE(this.total, 0), COALESCE(SUM(line.quantity * line.price), 0)
FROM orders_order AS this FULL JOIN orders_orderline AS line ON line.order_id = this.id
GROUP BY this.id, line.order_id HAVING this.total IS DISTINCT FROM SUM(line.quantity * line.price) ORDER BY 1
"""
APPLIED = """
SELECT told.order_id, told.what FROM unnest(%s::uuid[], %s::text[]) AS told(order_id, what)
JOIN orders_order AS known ON known.id = told.order_id
WHERE CASE told.what
    WHEN 'paid' THEN known.paid_at IS NOT NULL OR known.late_paid_at IS NOT NULL
    WHEN 'declined' THEN known.rejected_at IS NOT NULL OR known.cancelled_at IS NOT NULL
    WHEN 'refunded' THEN known.refunded_at IS NOT NULL END
"""
PUBLISHED = """
SELECT 'order-topic' AS destination, 'order.placed:' || id AS event_id, id AS order_id, 'placed' AS what, placed_at AS time
FROM orders_order
UNION ALL
SELECT 'order-topic', 'order.cancelled:' || id, id, 'cancelled', cancelled_at FROM orders_order
WHERE cancelled_at IS NOT NULL AND cancelled_at IS DISTINCT FROM refunded_at
UNION ALL
SELECT 'notify-topic', 'order.settled:' || id || ':' || what, id, what, time
FROM orders_order, LATERAL (
    VALUES ('paid', paid_at), ('rejected', rejected_at), ('cancelled', cancelled_at), ('refunded', refunded_at)
) AS fact(what, time)
WHERE time IS NOT NULL
"""


class End(NamedTuple):
    """What became of an order, as far as its money is concerned."""

    order_id: UUID
    customer_id: UUID
    amount: Decimal
    currency: str
    status: str
    paid: bool  # in time
    late_paid: bool  # the payment found it cancelled
    refunded: bool


def check(alias: str) -> Iterator[Finding]:
    """What is wrong with the orders of one database."""
    for id in _ids(alias, ~FACTS_AGREE):
        yield Finding("orders.facts", str(id), "its facts exclude each other")
    for id in _ids(alias, ~SWEEP_AGREES):
        yield Finding("orders.sweep", str(id), "it waits for billing and is not swept, or the other way round")
    for id, total, lines in rows(alias, WRONG_TOTALS):
        yield Finding("orders.total", str(id), f"its total is {total}, its lines sum to {lines}")


def facts(alias: str) -> Iterator[tuple[UUID, str, UUID, datetime]]:
    """(order, outcome, customer, time) of each end that a customer is told of, sorted: each has exactly one letter."""
    ended = Order.objects.using(alias).exclude(status=Status.PENDING).order_by("id")
    for id, customer, *times in ended.values_list("id", "customer_id", *(f"{outcome}_at" for outcome in OUTCOMES)).iterator(CHUNK):
        yield from ((id, outcome, customer, at) for outcome, at in zip(OUTCOMES, times, strict=True) if at)


def ends(alias: str) -> Iterator[End]:
    """What became of each order, sorted by id: an invoice explains it."""
    facts = (ExpressionWrapper(Q(**{f"{name}_at__isnull": False}), BooleanField()) for name in ("paid", "late_paid", "refunded"))
    found = Order.objects.using(alias).order_by("id").values_list("id", "customer_id", "total", "currency", "status", *facts)
    return map(End._make, found.iterator(CHUNK))


def applied(alias: str, told: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Which of billing's results (order; paid, declined or refunded) have had their effect, or change nothing any more."""
    return set(rows(alias, APPLIED, *columns(told, 2)))


def _ids(alias: str, condition: Q) -> Iterator[UUID]:
    return Order.objects.using(alias).filter(condition).order_by("id").values_list("id", flat=True).iterator(CHUNK)


def touched_since(alias: str, ids: Sequence[UUID], since: datetime) -> set[UUID]:
    """Which of these orders something happened to since a time."""
    times = ("placed_at", *(f"{outcome}_at" for outcome in OUTCOMES), "late_paid_at")
    recent = reduce(or_, (Q(**{f"{time}__gte": since}) for time in times))
    return set(Order.objects.using(alias).filter(recent, id__in=ids).values_list("id", flat=True))
