"""The past of a shop that is years old: orders that have all come to an end, with everything that belongs to them. For a set-up Django.

Of ten orders seven are paid, one is rejected, one is cancelled before it is paid, and one is paid, cancelled and refunded.
"""

from collections.abc import Callable
from typing import NamedTuple

from django.db import connection, transaction

from kafka_shop.databases import rows, run

ORDERS_A_CUSTOMER = 50
STEP = 250_000  # orders a transaction
DAYS = 400  # over which the orders are spread
CUSTOMERS = """
CREATE UNLOGGED TABLE bench_customer AS
    SELECT number, uuidv7(- interval '{days} days') AS id, uuidv7(- interval '{days} days') AS account_id
    FROM generate_series(0, {customers} - 1) AS number;
CREATE UNIQUE INDEX ON bench_customer (number);
ANALYZE bench_customer;

INSERT INTO billing_account (id, kind, currency, sequence, created_at)
    SELECT uuidv7(), kind, 'EUR', 0, now() FROM (VALUES ('cash'), ('sales')) AS shop(kind);
INSERT INTO billing_account (id, kind, customer_id, currency, balance, sequence, created_at)
    SELECT account_id, 'customer', id, 'EUR', 1000000, 1, now() - interval '{days} days' FROM bench_customer;
INSERT INTO billing_transfer (id, kind, debit_id, credit_id, account_id, number, amount, currency, balance, created_at)
    SELECT uuidv7(- interval '{days} days'), 'deposit', shop.id, account_id, account_id, 1, 1000000, 'EUR', 1000000,
        now() - interval '{days} days'
    FROM bench_customer, billing_account AS shop WHERE shop.kind = 'cash';
"""
# The orders of the places from {first} to {last}, of {orders} in all: one by one in time, an hour before now the last.
ORDERS = """
CREATE TEMP TABLE made ON COMMIT DROP AS
    SELECT place, at, uuidv7(at - clock_timestamp()) AS id, uuidv7(at - clock_timestamp()) AS invoice_id,
        customer.id AS customer_id, customer.account_id, (place % 2)::int AS partition, place / 2 AS "offset",
        CASE (place + place / {customers}) % 10 WHEN 0 THEN 'rejected' WHEN 1 THEN 'refunded' WHEN 2 THEN 'void' ELSE 'paid' END AS fate
    FROM generate_series({first}::bigint, {last}) AS place
    CROSS JOIN LATERAL (SELECT now() - interval '1 hour' - ({orders} - place) * interval '{days} days' / {orders} AS at) AS time
    JOIN bench_customer AS customer ON customer.number = place % {customers};
ANALYZE made;

INSERT INTO orders_order (id, customer_id, total, currency, placed_at, paid_at, rejected_at, cancelled_at, refunded_at, reason, sweeps,
        settled_partition, settled_offset, refunded_partition, refunded_offset)
    SELECT id, customer_id, 15, 'EUR', at, CASE WHEN fate IN ('paid', 'refunded') THEN at END, CASE fate WHEN 'rejected' THEN at END,
        CASE WHEN fate IN ('void', 'refunded') THEN at END, CASE fate WHEN 'refunded' THEN at + interval '1 second' END,
        CASE fate WHEN 'rejected' THEN 'insufficient_funds' ELSE '' END, 0,
        CASE WHEN fate <> 'void' THEN partition END, CASE WHEN fate <> 'void' THEN "offset" END,
        CASE fate WHEN 'refunded' THEN partition END, CASE fate WHEN 'refunded' THEN "offset" END
    FROM made ORDER BY place;
INSERT INTO orders_orderline (order_id, product, quantity, price) SELECT id, 'TEA-001', 2, 7.50 FROM made ORDER BY place;
INSERT INTO billing_invoice (id, order_id, customer_id, amount, currency, account_id, outcome, reason,
        opened_at, settled_at, voided_at, refunded_at, partition, "offset", applied_at, cancelled_partition, cancelled_offset)
    SELECT invoice_id, id, customer_id, 15, 'EUR', CASE WHEN fate IN ('paid', 'refunded') THEN account_id END,
        CASE fate WHEN 'void' THEN '' WHEN 'rejected' THEN 'declined' ELSE 'paid' END,
        CASE fate WHEN 'rejected' THEN 'insufficient_funds' ELSE '' END,
        at, CASE WHEN fate <> 'void' THEN at END, CASE fate WHEN 'void' THEN at END,
        CASE fate WHEN 'refunded' THEN at + interval '1 second' END, partition, "offset", at,
        CASE WHEN fate IN ('void', 'refunded') THEN partition END, CASE WHEN fate IN ('void', 'refunded') THEN "offset" END
    FROM made ORDER BY place;

CREATE TEMP TABLE moved ON COMMIT DROP AS
    SELECT account_id, invoice_id, 'charge' AS kind, 15 AS amount, -15 AS change, place, at FROM made WHERE fate IN ('paid', 'refunded')
    UNION ALL SELECT account_id, invoice_id, 'refund', 15, 15, place, at + interval '1 second' FROM made WHERE fate = 'refunded';
INSERT INTO billing_transfer (id, kind, debit_id, credit_id, account_id, number, amount, currency, balance, invoice_id, created_at)
    SELECT uuidv7(at - clock_timestamp()), moved.kind, CASE moved.kind WHEN 'charge' THEN account_id ELSE shop.id END,
        CASE moved.kind WHEN 'charge' THEN shop.id ELSE account_id END, account_id,
        own.sequence + row_number() OVER statement, amount, 'EUR', own.balance + sum(change) OVER statement, invoice_id, at
    FROM moved JOIN billing_account AS own ON own.id = account_id JOIN billing_account AS shop ON shop.kind = 'sales'
    WINDOW statement AS (PARTITION BY account_id ORDER BY place, moved.kind ROWS UNBOUNDED PRECEDING) ORDER BY place, moved.kind;
UPDATE billing_account AS own SET balance = own.balance + statement.change, sequence = sequence + statement.count
    FROM (SELECT account_id, sum(change) AS change, count(*) AS count FROM moved GROUP BY account_id) AS statement
    WHERE statement.account_id = own.id;

INSERT INTO notify_letter (id, order_id, customer_id, outcome, subject, body, created_at, partition, "offset")
    SELECT uuidv7(at - clock_timestamp()), made.id, customer_id, outcome, 'Your order', repeat('A letter of joy or of grief. ', 8), at,
        partition, "offset"
    FROM made JOIN (VALUES ('paid', 'paid'), ('rejected', 'rejected'), ('void', 'cancelled'),
        ('refunded', 'paid'), ('refunded', 'cancelled'), ('refunded', 'refunded')) AS end_of(fate, outcome) USING (fate) ORDER BY place;
"""
COUNTS = """
SELECT (SELECT count(*) FROM orders_order), (SELECT count(*) FROM notify_letter), (SELECT count(*) FROM billing_transfer)
"""


class Past(NamedTuple):
    """How many rows there are."""

    orders: int
    letters: int
    transfers: int


def fill(orders: int, show: Callable[[int], object]) -> Past:
    """Writes what is still missing of so many orders, a STEP a transaction; `show` is told how many there are.

    The tables are empty, or hold what an earlier call with the same number has left.
    """
    customers = max(1, orders // ORDERS_A_CUSTOMER)
    if not rows("default", "SELECT to_regclass('bench_customer')")[0][0]:
        _in_steps(CUSTOMERS.format(customers=customers, days=DAYS))
    [(there,)] = rows("default", "SELECT count(*) FROM orders_order")
    for first in range(there + 1, orders + 1, STEP):
        show(first - 1)
        last = min(first + STEP - 1, orders)
        _in_steps(ORDERS.format(first=first, last=last, orders=orders, customers=customers, days=DAYS))
    show(orders)
    run("default", "VACUUM ANALYZE")
    return Past(*rows("default", COUNTS)[0])


def _in_steps(sql: str) -> None:
    """Runs statements in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
