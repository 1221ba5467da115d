"""What proves the letters: what their database alone can tell, and what the audit compares with the orders' facts."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from kafka_shop.databases import columns, rows
from kafka_shop.findings import Finding
from notify.models import Letter

CHUNK = 10_000
WRONG_ORDERS = """
SELECT order_id, string_agg(outcome, ', ' ORDER BY outcome) FROM notify_letter GROUP BY order_id
HAVING count(*) > count(DISTINCT outcome) OR count(DISTINCT customer_id) > 1 OR (bool_or(outcome = 'rejected') AND count(*) > 1)
ORDER BY order_id
"""
APPLIED = """
SELECT order_id, outcome FROM notify_letter JOIN unnest(%s::uuid[], %s::text[]) AS told(order_id, outcome) USING (order_id, outcome)
"""


def check(alias: str) -> Iterator[Finding]:
    """What is wrong with the letters of one database."""
    for order_id, outcomes in rows(alias, WRONG_ORDERS):
        yield Finding("notify.letters", str(order_id), f"its letters are doubled, of two customers, or exclude each other: {outcomes}")


def letters(alias: str) -> Iterator[tuple[UUID, str, UUID]]:
    """(order, outcome, customer) of each letter, sorted."""
    return Letter.objects.using(alias).order_by("order_id", "outcome").values_list("order_id", "outcome", "customer_id").iterator(CHUNK)


def kept_since(alias: str) -> datetime:
    """Letters of ends from here on are there; those of earlier ones may have been deleted."""
    return next((since for (since,) in rows(alias, "SELECT kept_since FROM notify_horizon")), datetime.min.replace(tzinfo=UTC))


def applied(alias: str, told: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Which of the ends that orders came to (order, outcome) have their letter."""
    return set(rows(alias, APPLIED, *columns(told, 2)))
