"""What proves the letters: what their database alone can tell, and what the audit compares with the orders' facts."""

from collections.abc import Iterator
from uuid import UUID

from kafka_shop.databases import rows
from kafka_shop.findings import Finding
from notify.models import Letter

CHUNK = 10_000
WRONG_ORDERS = """
SELECT order_id, string_agg(outcome, ', ' ORDER BY outcome) FROM notify_letter GROUP BY order_id
HAVING count(*) > count(DISTINCT outcome) OR count(DISTINCT customer_id) > 1 OR (bool_or(outcome = 'rejected') AND count(*) > 1)
ORDER BY order_id
"""


def check(alias: str) -> Iterator[Finding]:
    """What is wrong with the letters of one database."""
    for order_id, outcomes in rows(alias, WRONG_ORDERS):
        yield Finding("notify.letters", str(order_id), f"its letters are doubled, of two customers, or exclude each other: {outcomes}")


def letters(alias: str) -> Iterator[tuple[UUID, str]]:
    """(order, outcome) of each letter, sorted."""
    return Letter.objects.using(alias).order_by("order_id", "outcome").values_list("order_id", "outcome").iterator(CHUNK)
