"""Figures of the flow from the tables: each question reads at most MOST rows, along an index, however many there are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from consumers.metrics import placed_at
from kafka_shop.databases import rows

MOST = 10_000
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
SAMPLES, NEWEST, GROUPS = 1000, 10, 50

# How many rows each consumer made or moved, of the newest, and the time of the oldest. Keys of UUID version 7 are drawn when a row is made.
WORK = {
    "billing": """
        SELECT count(*), min(at) FROM (
            SELECT coalesce(applied_at, opened_at) FROM billing_invoice WHERE id >= %s ORDER BY id DESC LIMIT %s
        ) AS made(at)
    """,
    "notify": """
        SELECT count(*), min(at) FROM (SELECT created_at FROM notify_letter WHERE id >= %s ORDER BY id DESC LIMIT %s) AS made(at)
    """,
    "orders": """
        SELECT count(*), min(at) FROM (
            SELECT GREATEST(placed_at, paid_at, rejected_at, cancelled_at, refunded_at) AS at, status FROM orders_order
            WHERE GREATEST(placed_at, paid_at, rejected_at, cancelled_at, refunded_at) >= %s
            ORDER BY GREATEST(placed_at, paid_at, rejected_at, cancelled_at, refunded_at) DESC LIMIT %s
        ) AS touched WHERE status <> 'pending'
    """,
}
LETTERS = """
SELECT order_id, created_at FROM (
    SELECT order_id, created_at, outcome FROM notify_letter WHERE id >= %s ORDER BY id DESC LIMIT %s
) AS newest WHERE outcome IN ('paid', 'rejected')
"""
WAITING = """
SELECT count(*), (SELECT min(created_at) FROM (
    (SELECT created_at FROM messaging_outboxrow WHERE destination = %s AND refused = '' AND NOT resent ORDER BY number LIMIT 1)
    UNION ALL
    (SELECT created_at FROM messaging_outboxrow WHERE destination = %s AND refused = '' AND resent ORDER BY number LIMIT 1)
) AS oldest)
FROM (SELECT FROM messaging_outboxrow WHERE destination = %s AND refused = '' LIMIT %s) AS pending
"""
REFUSED = "SELECT count(*) FROM (SELECT FROM messaging_outboxrow WHERE destination = %s AND refused <> '' LIMIT %s) AS refused"
DEAD = """
SELECT consumer, fingerprint, count(*), max(reason), min(failed_at), max(failed_at) FROM (
    SELECT consumer, fingerprint, reason, failed_at FROM consumers_deadletter WHERE closed_at IS NULL AND consumer = ANY(%s) LIMIT %s
) AS open GROUP BY consumer, fingerprint ORDER BY count(*) DESC, max(failed_at) DESC LIMIT %s
"""
EVENTS = {
    "orders": "SELECT 'order.placed', id, placed_at FROM orders_order ORDER BY id DESC LIMIT %s",
    "billing": "SELECT 'invoice.settled', order_id, settled_at FROM billing_invoice WHERE settled_at IS NOT NULL "
    "ORDER BY settled_at DESC, id DESC LIMIT %s",
    "notify": "SELECT 'letter.' || outcome, order_id, created_at FROM notify_letter ORDER BY id DESC LIMIT %s",
}


class Rates(NamedTuple):
    """Of one consumer, in events a second."""

    minute: float
    quarter: float


def first_id_of(time: datetime) -> UUID:
    """The least UUID of version 7 that can be drawn at a time (RFC 9562)."""
    return UUID(int=int(time.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62)


def rates(alias: str, consumer: str, now: datetime) -> Rates:
    """What a consumer has applied. When the newest MOST rows span less than the window, they tell the rate."""
    return Rates(*(rate(*worked_since(alias, consumer, now - window), now, window) for window in (MINUTE, QUARTER)))


def worked_since(alias: str, consumer: str, since: datetime) -> tuple[int, datetime | None]:
    """How many rows, MOST at most, and the time of the oldest of them."""
    known = since if consumer == "orders" else first_id_of(since)
    [(count, oldest)] = rows(alias, WORK[consumer], known, MOST)
    return count, oldest


def rate(count: int, oldest: datetime | None, now: datetime, window: timedelta) -> float:
    """Events a second over the window, or over what MOST rows span."""
    span = now - oldest if oldest and count >= MOST else window
    return round(count / max(span.total_seconds(), 1.0), 3)


def place_to_letter(alias: str, now: datetime) -> dict[str, Any]:
    """p50 and p95 in milliseconds of the newest letters of the last 15 minutes that tell of a payment or a refusal."""
    found = rows(alias, LETTERS, first_id_of(now - QUARTER), SAMPLES)
    times = sorted(max(0.0, at.timestamp() - placed_at(order_id)) * 1000 for order_id, at in found)
    return {"letters": len(times), "p50_ms": percentile(times, 0.50), "p95_ms": percentile(times, 0.95)}


def percentile(times: Sequence[float], share: float) -> float | None:
    """The nearest rank; None of nothing."""
    return round(times[min(len(times) - 1, int(len(times) * share))], 3) if times else None


def outbox(alias: str, destination: str, now: datetime) -> dict[str, Any]:
    """How many facts wait to leave and how many were refused (at most MOST are counted), and the age of the oldest in seconds."""
    [(waiting, oldest)] = rows(alias, WAITING, destination, destination, destination, MOST)
    [(refused,)] = rows(alias, REFUSED, destination, MOST)
    age = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    return {"waiting": waiting, "refused": refused, "oldest_seconds": round(age, 3)}


def open_dead_letters(alias: str, consumers: Sequence[str]) -> list[dict[str, Any]]:
    """By fingerprint, the most frequent first."""
    names = ("consumer", "fingerprint", "count", "reason", "first_at", "last_at")
    return [dict(zip(names, row, strict=True)) for row in rows(alias, DEAD, list(consumers), MOST, GROUPS)]


def newest_events(alias: str, service: str) -> list[dict[str, Any]]:
    return [{"what": what, "order_id": order_id, "at": at} for what, order_id, at in rows(alias, EVENTS[service], NEWEST)]
