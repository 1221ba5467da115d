"""What must hold at the end of every test, as questions to one database: each answers with what should not be.

Written apart from the shop's own audit, which the tests ask as well.
"""

from collections.abc import Iterator

from consumers.models import DeadLetter
from kafka_shop.databases import rows

QUESTIONS = {
    "an order waits": """
        SELECT id FROM orders_order
        WHERE status = 'pending' OR (cancelled_at IS NOT NULL AND refunded_at IS NULL AND (paid_at IS NOT NULL OR late_paid_at IS NOT NULL))
    """,
    "no invoice explains the order": """
        SELECT o.id, o.status, i.status FROM orders_order AS o LEFT JOIN billing_invoice AS i ON i.order_id = o.id
        WHERE i.status IS DISTINCT FROM CASE
            WHEN o.refunded_at IS NOT NULL THEN 'refunded'
            WHEN o.paid_at IS NOT NULL THEN 'paid'
            WHEN o.rejected_at IS NOT NULL THEN 'declined'
            ELSE 'void' END
        AND NOT (o.status = 'cancelled' AND o.paid_at IS NULL AND i.status = 'declined')
    """,
    "an invoice has no order, or another amount": """
        SELECT i.order_id FROM billing_invoice AS i LEFT JOIN orders_order AS o ON o.id = i.order_id AND o.customer_id = i.customer_id
        WHERE o.id IS NULL OR i.amount <> o.total
    """,
    "a charge or refund is missing, doubled or without an invoice": """
        SELECT i.order_id, count(*) FILTER (WHERE t.kind = 'charge'), count(*) FILTER (WHERE t.kind = 'refund')
        FROM billing_invoice AS i LEFT JOIN billing_transfer AS t ON t.invoice_id = i.id AND t.amount = i.amount
        GROUP BY i.id
        HAVING count(*) FILTER (WHERE t.kind = 'charge') <> (i.outcome = 'paid')::int
            OR count(*) FILTER (WHERE t.kind = 'refund') <> (i.refunded_at IS NOT NULL)::int
    """,
    "a balance is not its transfers": """
        SELECT a.id, a.balance, sum(CASE t.kind WHEN 'charge' THEN -t.amount ELSE t.amount END)
        FROM billing_account AS a LEFT JOIN billing_transfer AS t ON t.account_id = a.id
        WHERE a.kind = 'customer' GROUP BY a.id
        HAVING a.balance <> coalesce(sum(CASE t.kind WHEN 'charge' THEN -t.amount ELSE t.amount END), 0) OR a.sequence <> count(t.id)
    """,
    "a fact has not exactly one letter": """
        SELECT fact.id, fact.outcome, letter.order_id, letter.outcome FROM notify_letter AS letter FULL JOIN (
            SELECT id, end_.outcome FROM orders_order, LATERAL (
                VALUES (paid_at, 'paid'), (rejected_at, 'rejected'), (cancelled_at, 'cancelled'), (refunded_at, 'refunded')
            ) AS end_(at, outcome) WHERE at IS NOT NULL
        ) AS fact ON fact.id = letter.order_id AND fact.outcome = letter.outcome
        WHERE fact.id IS NULL OR letter.id IS NULL
    """,
    "a fact has not left": "SELECT event_id, refused FROM messaging_outboxrow",
}


def findings(dead_letters: int = 0) -> Iterator[str]:
    """Each thing that is not as it must be when all is at rest and so many dead letters are open."""
    reasons = list(DeadLetter.objects.filter(closed_at=None).values_list("reason", flat=True))
    if len(reasons) != dead_letters:
        yield f"{len(reasons)} dead letters are open, not {dead_letters}: {reasons[:3]}"
    for question, sql in QUESTIONS.items():
        found = rows("default", sql)
        if found:
            yield f"{question}: {len(found)} times, for example {found[0]}"
