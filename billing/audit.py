"""What proves the money: what the ledger's own tables tell of each other, and what the audit compares with the orders.

Inside whatever transaction the caller opened. Each check is one statement over the whole table, and shows its first 1,000 findings.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from billing.models import Invoice
from kafka_shop.databases import columns, rows
from kafka_shop.findings import Finding

CHUNK = 10_000

CHARGED_TWICE = """
SELECT invoice.order_id, 'it is charged ' || count(*) || ' times'
FROM billing_transfer AS transfer JOIN billing_invoice AS invoice ON invoice.id = transfer.invoice_id
WHERE transfer.kind = 'charge' GROUP BY invoice.order_id HAVING count(*) > 1 LIMIT 1000
"""
NOT_WHAT_THE_INVOICE_SAYS = """
SELECT invoice_id, kind || CASE
    WHEN made.amount IS NULL THEN ': the invoice says so, and there is no transfer'
    WHEN due.amount IS NULL THEN ': there is a transfer, and the invoice does not say so'
    ELSE ': amount, currency, account or time of the transfer are not the invoice''s' END
FROM (
    SELECT id AS invoice_id, 'charge' AS kind, amount, currency, account_id, settled_at AS time FROM billing_invoice WHERE outcome = 'paid'
    UNION ALL
    SELECT id, 'refund', amount, currency, account_id, refunded_at FROM billing_invoice WHERE refunded_at IS NOT NULL
) AS due
FULL JOIN (
    SELECT invoice_id, kind, amount, currency, account_id, created_at AS time FROM billing_transfer WHERE kind <> 'deposit'
) AS made USING (invoice_id, kind)
WHERE (due.amount, due.currency, due.account_id, due.time) IS DISTINCT FROM (made.amount, made.currency, made.account_id, made.time)
LIMIT 1000
"""
BETWEEN_WRONG_ACCOUNTS = """
SELECT transfer.id, transfer.kind || ': an account is missing, on the wrong side, or of another kind or currency'
FROM billing_transfer AS transfer
LEFT JOIN billing_account AS debit ON debit.id = transfer.debit_id
LEFT JOIN billing_account AS credit ON credit.id = transfer.credit_id
WHERE (debit.currency, credit.currency) IS DISTINCT FROM (transfer.currency, transfer.currency)
   OR (transfer.kind, debit.kind, credit.kind)
      NOT IN (('deposit', 'cash', 'customer'), ('charge', 'customer', 'sales'), ('refund', 'sales', 'customer'))
   OR transfer.account_id <> CASE transfer.kind WHEN 'charge' THEN transfer.debit_id ELSE transfer.credit_id END
LIMIT 1000
"""
OUT_OF_SEQUENCE = """
SELECT account_id, 'transfer ' || number || ' does not follow from the one before it: ' || balance_before || ' became ' || balance
FROM (
    SELECT account_id, number, balance, CASE kind WHEN 'charge' THEN -amount ELSE amount END AS change,
           lag(number, 1, 0::bigint) OVER statement AS number_before, lag(balance, 1, 0::numeric) OVER statement AS balance_before
    FROM billing_transfer WINDOW statement AS (PARTITION BY account_id ORDER BY number)
) AS transfer
WHERE number <> number_before + 1 OR balance <> balance_before + change OR balance < 0 LIMIT 1000
"""
MONEY_FROM_NOWHERE = """
SELECT currency, 'customers have ' || sum(amount) || ' more than was paid in and not spent'
FROM (
    SELECT currency, balance AS amount FROM billing_account WHERE kind = 'customer'
    UNION ALL
    SELECT currency, CASE kind WHEN 'charge' THEN amount ELSE -amount END FROM billing_transfer
) AS money
GROUP BY currency HAVING sum(amount) <> 0
"""
NOT_THE_SUM_OF_ITS_TRANSFERS = """
SELECT account.id, 'balance ' || account.balance || ' after ' || account.sequence || ' transfers; those that there are sum to '
                   || coalesce(sum, 0) || ' up to number ' || coalesce(last, 0)
FROM billing_account AS account LEFT JOIN (
    SELECT account_id, sum(CASE kind WHEN 'charge' THEN -amount ELSE amount END) AS sum, max(number) AS last
    FROM billing_transfer GROUP BY account_id
) AS statement ON statement.account_id = account.id
WHERE kind = 'customer' AND (balance < 0 OR (balance, sequence) IS DISTINCT FROM (coalesce(sum, 0), coalesce(last, 0))) LIMIT 1000
"""
APPLIED = """
SELECT told.order_id, told.what FROM unnest(%s::uuid[], %s::text[]) AS told(order_id, what)
JOIN billing_invoice AS known ON known.order_id = told.order_id
WHERE CASE told.what
    WHEN 'placed' THEN known.amount IS NOT NULL
    WHEN 'cancelled' THEN known.voided_at IS NOT NULL OR known.refunded_at IS NOT NULL OR known.outcome = 'declined' END
"""
PUBLISHED = """
SELECT 'billing-topic' AS destination, 'invoice.settled:' || order_id AS event_id, order_id, outcome AS what, settled_at AS time
FROM billing_invoice WHERE settled_at IS NOT NULL
UNION ALL
SELECT 'billing-topic', 'invoice.refunded:' || order_id, order_id, 'refunded', refunded_at
FROM billing_invoice WHERE refunded_at IS NOT NULL
"""
CHECKS = (
    ("I2", CHARGED_TWICE),
    ("I2", NOT_WHAT_THE_INVOICE_SAYS),
    ("I3", BETWEEN_WRONG_ACCOUNTS),
    ("I3", OUT_OF_SEQUENCE),
    ("I3", MONEY_FROM_NOWHERE),
    ("I4", NOT_THE_SUM_OF_ITS_TRANSFERS),
)


class Bill(NamedTuple):
    """What became of an order at billing."""

    order_id: UUID
    customer_id: UUID
    amount: Decimal | None
    currency: str
    status: str


def check(alias: str) -> Iterator[Finding]:
    """What is wrong with the ledger of one database."""
    for name, sql in CHECKS:
        for subject, detail in rows(alias, sql):
            yield Finding(name, str(subject), detail)


def applied(alias: str, told: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Which of the orders' facts (order; placed or cancelled) have had their effect, or change nothing any more."""
    return set(rows(alias, APPLIED, *columns(told, 2)))


def invoices(alias: str) -> Iterator[Bill]:
    """What became of each order, sorted by order."""
    found = Invoice.objects.using(alias).order_by("order_id").values_list(*Bill._fields)
    return map(Bill._make, found.iterator(CHUNK))
