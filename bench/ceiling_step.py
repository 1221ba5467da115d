"""The billing step of the ceiling: a batch of order.placed messages in six statements, on the tables of the shop.

Columns travel as array literals, one `join` each, and ids stay strings: lists of UUID and Decimal, adapted by psycopg, cost more
than all the rest of the step, most of all in text form (%s).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import psycopg
from confluent_kafka import Message
from psycopg.rows import TupleRow
from uuid_utils import uuid7

LOCK_ACCOUNTS = """
    SELECT id::text, customer_id::text, currency, balance, sequence FROM billing_account WHERE customer_id = ANY(%s::uuid[])
    ORDER BY billing_account.id FOR NO KEY UPDATE
"""
KNOWN_ORDERS = "SELECT order_id::text FROM billing_invoice WHERE order_id = ANY(%s::uuid[])"
INSERT_INVOICES = """
    INSERT INTO billing_invoice (opened_at, settled_at, applied_at, id, order_id, customer_id, amount, currency, outcome, reason,
                                 account_id, partition, "offset")
    SELECT this, this, this, invoice.* FROM (SELECT %s::timestamptz AS this) AS now,
        unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::text[], %s::text[], %s::text[],
               %s::uuid[], %s::int[], %s::bigint[]) AS invoice
"""
UPDATE_ACCOUNTS = """
    UPDATE billing_account a SET balance = new.balance, sequence = new.sequence
    FROM unnest(%s::uuid[], %s::numeric[], %s::bigint[]) new (id, balance, sequence) WHERE a.id = new.id
"""
INSERT_TRANSFERS = """
    INSERT INTO billing_transfer (kind, created_at, id, debit_id, account_id, credit_id, invoice_id, amount, currency, number, balance)
    SELECT 'charge', %s, * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::text[],
                                       %s::bigint[], %s::numeric[])
"""
INSERT_FACTS = """
    INSERT INTO messaging_outboxrow (destination, resent, attempts, refused, created_at, event, event_id, key)
    SELECT 'billing-topic', false, 0, '', %s, * FROM unnest(%b::bytea[], %s::text[], %s::text[])
"""

Cursor = psycopg.Cursor[TupleRow]
Row = tuple[object, ...]


class Item(msgspec.Struct, frozen=True):
    product: str
    quantity: int
    price: Decimal


class Placed(msgspec.Struct, frozen=True):
    order_id: str
    customer_id: str
    amount: Decimal
    currency: str
    items: tuple[Item, ...]
    placed_at: datetime


@dataclass(slots=True)
class Account:
    id: str
    customer_id: str
    currency: str
    balance: Decimal
    sequence: int


class Invoice(msgspec.Struct, frozen=True):
    invoice_id: str
    order_id: str
    customer_id: str
    amount: Decimal
    currency: str
    outcome: str
    reason: str
    settled_at: datetime


class Fact(msgspec.Struct, frozen=True):
    """A CloudEvent in its JSON format."""

    id: str
    subject: str
    time: datetime
    partitionkey: str
    data: Invoice
    specversion: str = "1.0"
    type: str = "shop.invoice.settled.v1"
    source: str = "/billing"
    datacontenttype: str = "application/json"


decode_placed = msgspec.json.Decoder(Placed).decode
encode = msgspec.json.Encoder().encode


def bill(cursor: Cursor, messages: Iterable[Message], sales: Mapping[str, str]) -> None:
    """Make the effects of a batch in the transaction that is open; an order that is known already changes nothing.

    sales: the shop's account in each currency.
    """
    placed = {order.order_id: (order, message) for message in messages if (order := _decode(message))}
    accounts = _lock_accounts(cursor, {order.customer_id for order, _ in placed.values()})
    for (known,) in cursor.execute(KNOWN_ORDERS, [_array(placed)]).fetchall():
        del placed[known]
    _settle(cursor, placed.values(), accounts, sales)


def _decode(message: Message) -> Placed | None:
    headers = dict(message.headers() or ())
    return decode_placed(message.value() or b"") if headers.get("ce_type") == b"shop.order.placed.v1" else None


def _lock_accounts(cursor: Cursor, customers: Iterable[str]) -> dict[str, list[Account]]:
    accounts: dict[str, list[Account]] = {}
    for row in cursor.execute(LOCK_ACCOUNTS, [_array(customers)]).fetchall():
        accounts.setdefault(row[1], []).append(Account(*row))
    return accounts


def _settle(
    cursor: Cursor, orders: Iterable[tuple[Placed, Message]], accounts: Mapping[str, list[Account]], sales: Mapping[str, str]
) -> None:
    now = datetime.now(UTC)
    invoices: list[Row] = []
    transfers: list[Row] = []
    facts: list[Row] = []
    events: list[bytes] = []
    charged: dict[str, Account] = {}
    for order, message in orders:
        account, reason = _decide(accounts.get(order.customer_id, []), order)
        invoice = _invoice(order, reason, now)
        account_id = account.id if account else "NULL"
        invoices.append((*msgspec.structs.astuple(invoice)[:6], f'"{reason}"', account_id, message.partition(), message.offset()))
        fact = Fact(f"invoice.settled:{order.order_id}", order.order_id, now, order.customer_id, invoice)
        facts.append((fact.id, order.customer_id))
        events.append(encode(fact))
        if account is not None:
            transfers.append(_charge(account, invoice, sales[invoice.currency]))
            charged[account.id] = account
    balances = [(key, charged[key].balance, charged[key].sequence) for key in sorted(charged)]
    _write(cursor, INSERT_INVOICES, invoices, now)
    _write(cursor, UPDATE_ACCOUNTS, balances)
    _write(cursor, INSERT_TRANSFERS, transfers, now)
    _write(cursor, INSERT_FACTS, facts, now, events)


def _decide(accounts: Sequence[Account], order: Placed) -> tuple[Account | None, str]:
    """Return the account to charge, or None and the reason for the refusal."""
    account = next((each for each in accounts if each.currency == order.currency), None)
    if account is None:
        return None, "wrong_currency" if accounts else "no_account"
    return (account, "") if account.balance >= order.amount else (None, "insufficient_funds")


def _invoice(order: Placed, reason: str, now: datetime) -> Invoice:
    outcome = "declined" if reason else "paid"
    return Invoice(str(uuid7()), order.order_id, order.customer_id, order.amount, order.currency, outcome, reason, now)


def _charge(account: Account, invoice: Invoice, sales: str) -> Row:
    account.balance -= invoice.amount
    account.sequence += 1
    moved = (invoice.amount, invoice.currency, account.sequence, account.balance)
    return (uuid7(), account.id, account.id, sales, invoice.invoice_id, *moved)


def _write(cursor: Cursor, query: str, rows: Sequence[Row], *first: object) -> None:
    if rows:
        cursor.execute(query, [*first, *(_array(column) for column in zip(*rows, strict=True))])
        assert cursor.rowcount == len(rows), query


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
