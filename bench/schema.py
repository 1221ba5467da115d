"""The tables of the floor and the ceiling: made new, filled with accounts, and checked after a run."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg.rows import scalar_row
from uuid_utils.compat import uuid7

SCHEMA = Path(__file__).with_name("schema.sql")

WRONG_ACCOUNTS = """
    SELECT count(*) FROM bench_account a LEFT JOIN (
        SELECT account_id, sum(amount) AS spent, count(*) AS transfers, max(number) AS last, min(balance_after) AS lowest
        FROM bench_transfer GROUP BY account_id
    ) t ON t.account_id = a.id
    WHERE a.balance <> %s - coalesce(spent, 0) OR a.last_number <> coalesce(transfers, 0)
       OR last <> transfers OR lowest <> a.balance
"""
PAID_WITHOUT_TRANSFER = """
    SELECT count(*) FROM bench_invoice i LEFT JOIN bench_transfer t ON t.invoice_id = i.id AND t.amount = i.amount
    WHERE (i.outcome = 'paid') <> (t.id IS NOT NULL)
"""


def prepare(dsn: str, customers: Sequence[UUID], *, balance: Decimal) -> None:
    """Make the tables new and empty, with one account in EUR a customer."""
    with psycopg.connect(dsn) as connection:
        connection.execute(SCHEMA.read_bytes())
        with connection.cursor().copy("COPY bench_account (id, customer_id, currency, balance, last_number) FROM STDIN") as rows:
            for customer in customers:
                rows.write_row((uuid7(), customer, "EUR", balance, 0))
        connection.execute("ANALYZE bench_account")


def verify(dsn: str, *, orders: int, paid: int, balance: Decimal, facts: int) -> None:
    """Check the outcome of a run over `orders` different orders, from accounts that held `balance` each.

    `facts` is the number of outbox rows, 0 where results are published otherwise. Raises AssertionError naming what is wrong.
    """
    with psycopg.connect(dsn, row_factory=scalar_row) as connection:
        found = {
            "invoices": _count(connection, "SELECT count(*) FROM bench_invoice"),
            "paid invoices": _count(connection, "SELECT count(*) FROM bench_invoice WHERE outcome = 'paid'"),
            "accounts that differ from their transfers": _count(connection, WRONG_ACCOUNTS, balance),
            "invoices that differ from their transfers": _count(connection, PAID_WITHOUT_TRANSFER),
            "facts": _count(connection, "SELECT count(*) FROM bench_outbox"),
        }
    expected = dict(zip(found, (orders, paid, 0, 0, facts), strict=True))
    wrong = {name: (found[name], expected[name]) for name in found if found[name] != expected[name]}
    if wrong:
        raise AssertionError(f"found and expected differ: {wrong}")


def _count(connection: psycopg.Connection[int], query: str, *parameters: Decimal) -> int:
    return connection.execute(query, parameters).fetchone() or 0
