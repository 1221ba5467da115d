"""The billing step of the ceiling: a batch of order.placed messages in six statements, on the tables of the shop.

Columns travel as array literals, one `join` each, and ids stay strings: lists of UUID and Decimal, adapted by psycopg, cost more
than all the rest of the step, most of all in text form (%s).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    SELECT %s, false, 0, '', %s, * FROM unnest(%b::bytea[], %s::text[], %s::text[])
"""

SALES = "SELECT currency, id::text FROM billing_account WHERE kind = 'sales'"

Connection = psycopg.Connection[TupleRow]
Cursor = psycopg.Cursor[TupleRow]
Row = tuple[object, ...]
Step = Callable[[Cursor, Sequence[Message]], None]  # makes the effects of a batch in the transaction that is open
StepFor = Callable[[Connection], Step]  # the step for the shop as it is


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
    data: msgspec.Struct
    type: str = "shop.invoice.settled.v1"
    source: str = "/billing"
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


decode_placed = msgspec.json.Decoder(Placed).decode
encode = msgspec.json.Encoder().encode


def biller(connection: Connection) -> Step:
    """Return the billing step for the shop as it is: with its own account in each currency."""
    sales: dict[str, str] = dict(connection.execute(SALES).fetchall())
    return lambda cursor, messages: bill(cursor, messages, sales)


def bill(cursor: Cursor, messages: Sequence[Message], sales: Mapping[str, str]) -> None:
    """Bill a batch of orders; one that is known already changes nothing. sales: the shop's account in each currency."""
    placed = {order.order_id: (order, message) for message in messages if (order := _decode(message))}
    accounts = _lock_accounts(cursor, {order.customer_id for order, _ in placed.values()})
    for (known,) in cursor.execute(KNOWN_ORDERS, [array(placed)]).fetchall():
        del placed[known]
    _settle(cursor, placed.values(), accounts, sales)


def _decode(message: Message) -> Placed | None:
    headers = dict(message.headers() or ())
    return decode_placed(message.value() or b"") if headers.get("ce_type") == b"shop.order.placed.v1" else None


def _lock_accounts(cursor: Cursor, customers: Iterable[str]) -> dict[str, list[Account]]:
    accounts: dict[str, list[Account]] = {}
    for row in cursor.execute(LOCK_ACCOUNTS, [array(customers)]).fetchall():
        accounts.setdefault(row[1], []).append(Account(*row))
    return accounts


def _settle(
    cursor: Cursor, orders: Iterable[tuple[Placed, Message]], accounts: Mapping[str, list[Account]], sales: Mapping[str, str]
) -> None:
    now = datetime.now(UTC)
    invoices: list[Row] = []
    transfers: list[Row] = []
    facts: list[Fact] = []
    charged: dict[str, Account] = {}
    for order, message in orders:
        account, reason = _decide(accounts.get(order.customer_id, []), order)
        invoice = _invoice(order, reason, now)
        account_id = account.id if account else "NULL"
        invoices.append((*msgspec.structs.astuple(invoice)[:6], f'"{reason}"', account_id, message.partition(), message.offset()))
        facts.append(Fact(f"invoice.settled:{order.order_id}", order.order_id, now, order.customer_id, invoice))
        if account is not None:
            transfers.append(_charge(account, invoice, sales[invoice.currency]))
            charged[account.id] = account
    balances = [(key, charged[key].balance, charged[key].sequence) for key in sorted(charged)]
    write(cursor, INSERT_INVOICES, invoices, now)
    write(cursor, UPDATE_ACCOUNTS, balances)
    write(cursor, INSERT_TRANSFERS, transfers, now)
    publish(cursor, "billing-topic", facts, now)


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


def publish(cursor: Cursor, destination: str, facts: Sequence[Fact], now: datetime) -> None:
    """Writes facts to the outbox."""
    write(cursor, INSERT_FACTS, [(fact.id, fact.partitionkey) for fact in facts], destination, now, [encode(fact) for fact in facts])


def write(cursor: Cursor, query: str, rows: Sequence[Row], *first: object) -> None:
    """Runs a set statement over rows, each of which it must change."""
    if rows:
        cursor.execute(query, [*first, *(array(column) for column in zip(*rows, strict=True))])
        assert cursor.rowcount == len(rows), query


def array(values: Iterable[object]) -> str:
    """An array literal of what needs no quotes."""
    return "{" + ",".join(map(str, values)) + "}"
