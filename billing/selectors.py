"""Billing's reads."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from billing import facts, rules
from billing.models import Account, Invoice, Transfer
from kafka_shop.databases import alias_of, rows
from kafka_shop.messaging.events import Event

FACTS_AFTER = """
SELECT time, rank, id, order_id, customer_id, amount, currency, account_id, outcome, reason, settled_at, voided_at, refunded_at
FROM (
    (SELECT settled_at AS time, 0 AS rank, * FROM billing_invoice
     WHERE settled_at IS NOT NULL AND (settled_at, id, 0) > (%s::timestamptz, %s::uuid, %s) ORDER BY settled_at, id LIMIT %s)
    UNION ALL
    (SELECT refunded_at AS time, 1 AS rank, * FROM billing_invoice
     WHERE refunded_at IS NOT NULL AND (refunded_at, id, 1) > (%s::timestamptz, %s::uuid, %s) ORDER BY refunded_at, id LIMIT %s)
) AS fact
ORDER BY time, id, rank LIMIT %s
"""


def accounts(customer_id: UUID | None) -> QuerySet[Account]:
    """A customer's accounts, or with None those of all customers. The shop's own are not among them."""
    every = Account.objects.filter(kind="customer")
    return every if customer_id is None else every.filter(customer_id=customer_id)


def transfers(account_id: UUID) -> QuerySet[Transfer]:
    """An account's statement, newest first."""
    return Transfer.objects.filter(account=account_id).order_by("-number")


def invoices(customer_id: UUID | None) -> QuerySet[Invoice]:
    """A customer's invoices, or with None all."""
    return Invoice.objects.all() if customer_id is None else Invoice.objects.filter(customer_id=customer_id)


def facts_after(cursor: list[Any], *, limit: int) -> list[tuple[list[Any], Event]]:
    """Stored facts by time, at most `limit`, each with its cursor: [time, invoice id, 0 settled or 1 refunded], fit for JSON."""
    found = rows(alias_of("billing"), FACTS_AFTER, *cursor, limit, *cursor, limit, limit)
    return [([time.isoformat(), str(row[0]), rank], _fact(rank, rules.Invoice._make(row))) for time, rank, *row in found]


def _fact(rank: int, invoice: rules.Invoice) -> Event:
    [fact] = (facts.settled, facts.refunded)[rank]([invoice])
    return fact
