"""The SQL of the ledger: a constant number of statements whatever the size of a batch, inside a transaction that is open.

Locks are taken in one order everywhere: accounts by id, invoices by order, then transfers. Rows of a statement are sorted by key.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from billing.rules import Account, Cancellation, Invoice, Order, Posting
from kafka_shop.databases import alias_of, columns, rows, run
from kafka_shop.ids import uuid7_text

LOCK_ACCOUNTS = """
SELECT id, customer_id, currency, balance, sequence FROM billing_account
WHERE customer_id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
LOCK_ACCOUNT = """
SELECT id, customer_id, currency, balance, sequence FROM billing_account
WHERE id = %s AND kind = 'customer' FOR NO KEY UPDATE
"""
LOCK_INVOICES = """
SELECT id, order_id, customer_id, amount, currency, account_id, outcome, reason, settled_at, voided_at, refunded_at
FROM billing_invoice WHERE order_id = ANY(%s::uuid[]) ORDER BY order_id FOR UPDATE
"""
INSERT_INVOICES = """
INSERT INTO billing_invoice (opened_at, applied_at, id, order_id, customer_id, amount, currency, account_id, outcome, reason, settled_at,
                             partition, "offset")
SELECT %s, %s, * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::text[], %s::uuid[], %s::text[], %s::text[],
                             %s::timestamptz[], %s::int[], %s::bigint[])
"""
INSERT_VOID_INVOICES = """
INSERT INTO billing_invoice (currency, outcome, reason, opened_at, voided_at, id, order_id, customer_id,
                             cancelled_partition, cancelled_offset)
SELECT '', '', '', %s, %s, * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::int[], %s::bigint[])
"""
FILL_IN_INVOICES = """
UPDATE billing_invoice AS invoice
SET amount = new.amount, currency = new.currency, applied_at = %s, partition = new.partition, "offset" = new."offset"
FROM unnest(%s::uuid[], %s::numeric[], %s::text[], %s::int[], %s::bigint[])
         AS new (order_id, amount, currency, partition, "offset")
WHERE invoice.order_id = new.order_id AND invoice.amount IS NULL
"""
CANCEL_INVOICES = """
UPDATE billing_invoice AS invoice
SET voided_at = new.voided_at, refunded_at = new.refunded_at, cancelled_partition = new.partition, cancelled_offset = new."offset"
FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::int[], %s::bigint[])
         AS new (id, voided_at, refunded_at, partition, "offset")
WHERE invoice.id = new.id AND invoice.voided_at IS NULL AND invoice.refunded_at IS NULL
"""
SETTLE_INVOICES = """
UPDATE billing_invoice AS invoice SET account_id = new.account_id, outcome = new.outcome, settled_at = new.settled_at
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[]) AS new (id, account_id, outcome, settled_at)
WHERE invoice.id = new.id AND invoice.outcome = '' AND invoice.voided_at IS NULL
"""
UPDATE_ACCOUNTS = """
UPDATE billing_account AS account SET balance = new.balance, sequence = new.sequence
FROM unnest(%s::uuid[], %s::numeric[], %s::bigint[]) AS new (id, balance, sequence) WHERE account.id = new.id
"""
INSERT_TRANSFERS = """
INSERT INTO billing_transfer (kind, created_at, debit_id, credit_id, id, account_id, number, amount, currency, balance, invoice_id)
SELECT this.kind, this.time,
       CASE this.kind WHEN 'charge' THEN new.account_id ELSE shop.id END,
       CASE this.kind WHEN 'charge' THEN shop.id ELSE new.account_id END,
       new.*
FROM (SELECT %s::text AS kind, %s::timestamptz AS time) AS this,
     unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::numeric[], %s::text[], %s::numeric[], %s::uuid[])
         AS new (id, account_id, number, amount, currency, balance, invoice_id),
     billing_account AS shop
WHERE shop.customer_id IS NULL AND shop.currency = new.currency AND shop.kind = CASE this.kind WHEN 'deposit' THEN 'cash' ELSE 'sales' END
"""


def lock_accounts(customers: Iterable[UUID]) -> list[Account]:
    """Locks all accounts of these customers."""
    return [Account._make(row) for row in rows(_alias(), LOCK_ACCOUNTS, _array(set(customers)))]


def lock_account(id: UUID) -> Account | None:
    """Locks one customer's account; None when there is none with that id."""
    return next((Account._make(row) for row in rows(_alias(), LOCK_ACCOUNT, id)), None)


def lock_invoices(orders: Iterable[UUID]) -> dict[UUID, Invoice]:
    """Locks the invoices of these orders, and returns those that there are, by order."""
    return {row[1]: Invoice._make(row) for row in rows(_alias(), LOCK_INVOICES, _array(orders))}


def insert_invoices(invoices: Sequence[tuple[Invoice, Order]], *, now: datetime) -> None:
    """Writes new invoices, each with the order that it is of."""
    records = [(*invoice[:9], order.partition, order.offset) for invoice, order in invoices]
    _write(INSERT_INVOICES, sorted(records, key=itemgetter(1)), now, now)


def insert_void_invoices(invoices: Sequence[tuple[Invoice, Cancellation]], *, now: datetime) -> None:
    """Writes the invoices of orders that were cancelled before they were known."""
    records = [(*invoice[:3], cancellation.partition, cancellation.offset) for invoice, cancellation in invoices]
    _write(INSERT_VOID_INVOICES, sorted(records, key=itemgetter(1)), now, now)


def fill_in_invoices(orders: Sequence[Order], *, now: datetime) -> None:
    """Gives void invoices without an amount that of their order."""
    _write(FILL_IN_INVOICES, sorted((order.id, *order[2:]) for order in orders), now)


def settle_invoices(invoices: Sequence[Invoice]) -> None:
    """Writes the outcome of invoices that were open."""
    _write(SETTLE_INVOICES, sorted((invoice.id, invoice.account_id, invoice.outcome, invoice.settled_at) for invoice in invoices))


def cancel_invoices(invoices: Sequence[tuple[Invoice, Cancellation]]) -> None:
    """Writes what a cancellation did to invoices: void or refunded."""
    records = [(invoice.id, invoice.voided_at, invoice.refunded_at, *cancellation[2:]) for invoice, cancellation in invoices]
    _write(CANCEL_INVOICES, sorted(records))


def post(kind: str, postings: Sequence[Posting], *, now: datetime) -> None:
    """Writes transfers of one kind, and what they leave in the customers' accounts: each account once, whatever its transfers."""
    ordered = sorted(postings, key=lambda posting: posting.account.id.int)
    left = {posting.account.id: posting.account for posting in ordered}
    _write(UPDATE_ACCOUNTS, [(id, account.balance, account.sequence) for id, account in left.items()])
    records = [(uuid7_text(), each.id, each.sequence, amount, each.currency, each.balance, invoice) for each, amount, invoice in ordered]
    _write(INSERT_TRANSFERS, records, kind, now)


def _write(sql: str, records: Sequence[Sequence[Any]], *first: Any) -> None:
    """Runs a set statement over records. Raises RuntimeError when it did not write each of them, for then the locks were not enough."""
    if not records:
        return
    written = run(_alias(), sql, *first, *map(_array, columns(records, len(records[0]))))
    if written != len(records):
        raise RuntimeError(f"{written} of {len(records)} rows were written: {sql.split(' (')[0].strip()}")


def _array(values: Iterable[Any]) -> str:
    """A PostgreSQL array literal of ids, amounts, times and codes: JSON in other brackets, and cheaper than lists that psycopg adapts."""
    return "{" + msgspec.json.encode(list(values))[1:-1].decode() + "}"


def _alias() -> str:
    return alias_of("billing")
