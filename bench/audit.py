"""`python -m bench.audit`: how long `manage.py audit` takes on so many orders, in a PostgreSQL of its own under var/bench."""

import os
import resource
import subprocess
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

import psutil
from rich.console import Console

from bench import rig

ROOT = Path(__file__).resolve().parents[1]
FOLDER = rig.FOLDER / "audit"
RESULT = ROOT / "docs" / "results" / "audit.md"
ORDERS_A_CUSTOMER = 50

# Of ten orders seven are paid, one is rejected, one is cancelled before it is paid, and one is paid, cancelled and refunded.
FILL = """
CREATE TEMP TABLE customer AS
    SELECT number, uuidv7() AS id, uuidv7() AS account_id FROM generate_series(0, {customers} - 1) AS number;
CREATE TEMP TABLE made AS
    SELECT place, uuidv7() AS id, uuidv7() AS invoice_id, customer.id AS customer_id, customer.account_id,
        CASE place % 10 WHEN 0 THEN 'rejected' WHEN 1 THEN 'refunded' WHEN 2 THEN 'void' ELSE 'paid' END AS fate,
        now() - interval '1 day' + place * interval '1 millisecond' AS at
    FROM generate_series(1, {orders}) AS place JOIN customer ON customer.number = place % {customers};

INSERT INTO orders_order (id, customer_id, total, currency, placed_at, paid_at, rejected_at, cancelled_at, refunded_at, reason, sweeps)
    SELECT id, customer_id, 15, 'EUR', at, CASE WHEN fate IN ('paid', 'refunded') THEN at END, CASE fate WHEN 'rejected' THEN at END,
        CASE WHEN fate IN ('void', 'refunded') THEN at END, CASE fate WHEN 'refunded' THEN at END,
        CASE fate WHEN 'rejected' THEN 'insufficient_funds' ELSE '' END, 0
    FROM made ORDER BY place;
INSERT INTO orders_orderline (order_id, product, quantity, price) SELECT id, 'TEA-001', 2, 7.50 FROM made ORDER BY place;

INSERT INTO billing_account (id, kind, currency, sequence, created_at)
    SELECT uuidv7(), kind, 'EUR', 0, now() FROM (VALUES ('cash'), ('sales')) AS shop(kind);
INSERT INTO billing_account (id, kind, customer_id, currency, balance, sequence, created_at)
    SELECT account_id, 'customer', id, 'EUR', 0, 0, now() FROM customer;
INSERT INTO billing_invoice (id, order_id, customer_id, amount, currency, account_id, outcome, reason,
        opened_at, settled_at, voided_at, refunded_at)
    SELECT invoice_id, id, customer_id, 15, 'EUR', CASE WHEN fate IN ('paid', 'refunded') THEN account_id END,
        CASE fate WHEN 'void' THEN '' WHEN 'rejected' THEN 'declined' ELSE 'paid' END,
        CASE fate WHEN 'rejected' THEN 'insufficient_funds' ELSE '' END,
        at, CASE WHEN fate <> 'void' THEN at END, CASE fate WHEN 'void' THEN at END, CASE fate WHEN 'refunded' THEN at END
    FROM made ORDER BY place;

CREATE TEMP TABLE moved AS
    SELECT account_id, NULL::uuid AS invoice_id, 'deposit' AS kind, 1000000 AS amount, 1000000 AS change, 0 AS place, now() AS at
    FROM customer
    UNION ALL SELECT account_id, invoice_id, 'charge', 15, -15, place, at FROM made WHERE fate IN ('paid', 'refunded')
    UNION ALL SELECT account_id, invoice_id, 'refund', 15, 15, place, at FROM made WHERE fate = 'refunded';
INSERT INTO billing_transfer (id, kind, debit_id, credit_id, account_id, number, amount, currency, balance, invoice_id, created_at)
    SELECT uuidv7(), moved.kind, CASE moved.kind WHEN 'charge' THEN account_id ELSE shop.id END,
        CASE moved.kind WHEN 'charge' THEN shop.id ELSE account_id END, account_id,
        row_number() OVER statement, amount, 'EUR', sum(change) OVER statement, invoice_id, at
    FROM moved JOIN billing_account AS shop ON shop.kind = CASE moved.kind WHEN 'deposit' THEN 'cash' ELSE 'sales' END
    WINDOW statement AS (PARTITION BY account_id ORDER BY place, moved.kind ROWS UNBOUNDED PRECEDING);
UPDATE billing_account SET balance = statement.balance, sequence = statement.number
    FROM (SELECT account_id, sum(change) AS balance, count(*) AS number FROM moved GROUP BY account_id) AS statement
    WHERE statement.account_id = billing_account.id;

INSERT INTO notify_letter (id, order_id, customer_id, outcome, subject, body, created_at)
    SELECT uuidv7(), made.id, customer_id, outcome, 'Your order', repeat('A letter of joy or of grief. ', 8), at
    FROM made JOIN (VALUES ('paid', 'paid'), ('rejected', 'rejected'), ('void', 'cancelled'),
        ('refunded', 'paid'), ('refunded', 'cancelled'), ('refunded', 'refunded')) AS end_of(fate, outcome) USING (fate) ORDER BY place;
"""
PAGE = """# How long `audit` takes

| orders | letters | transfers | seconds | CPU seconds of the audit | of PostgreSQL | memory of the audit |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| {orders:,} | {letters:,} | {transfers:,} | {seconds:.0f} | {cpu:.0f} | {postgres:.0f} | {memory:,.0f} MB |

Expected: a million orders in under a minute. The CPU seconds are what it needs. The seconds count, too, what it waited for the {cores}
cores, whose load average was {load:.1f} when it began.

{machine}; `python -m bench.audit --orders {orders}`
"""
MACHINE = "{cores} cores ({cpu}), {memory}, {system}; python {python}, django {django}, postgresql {postgresql}"


def main() -> None:
    """Fills a database, audits it, and writes the page."""
    parser = ArgumentParser(prog="python -m bench.audit", description=__doc__)
    parser.add_argument("--orders", type=count, default=1_000_000, metavar="N", help="a million, unless said otherwise")
    orders, console = parser.parse_args().orders, Console()
    url = rig.fresh_database(FOLDER)
    rig.set_up(url, "127.0.0.1:9", rig.FOLDER)
    from bench import machine  # it needs Django to be set up

    console.print(f"Making {orders:,} orders")
    figures = fill(orders)
    console.print("Auditing them")
    page = PAGE.format(orders=orders, **figures, **audited(), cores=os.cpu_count(), machine=MACHINE.format(**machine.describe()))
    console.print(page, soft_wrap=True)
    if orders >= 1_000_000:
        RESULT.write_text(page)


def count(text: str) -> int:
    """Orders, a multiple of ten customers' worth."""
    if not text.isdigit() or int(text) < ORDERS_A_CUSTOMER:
        raise ArgumentTypeError(f"{text!r} is not a number of at least {ORDERS_A_CUSTOMER}")
    return int(text)


def fill(orders: int) -> dict[str, int]:
    """Writes orders that have all come to an end, with everything that belongs to them; returns how many rows of which kind."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(FILL.format(orders=orders, customers=max(1, orders // ORDERS_A_CUSTOMER)))
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT (SELECT count(*) FROM notify_letter), (SELECT count(*) FROM billing_transfer)")
        letters, transfers = cursor.fetchone()
    connection.close()
    return {"letters": letters, "transfers": transfers}


def audited() -> dict[str, float]:
    """What the command needed. Raises CalledProcessError when it finds something."""
    load, used, postgres, began = os.getloadavg()[0], children(), postgres_seconds(), time.monotonic()
    subprocess.run([sys.executable, "manage.py", "audit"], cwd=ROOT, env=os.environ, check=True)
    return {
        "seconds": time.monotonic() - began,
        "cpu": children() - used,
        "postgres": postgres_seconds() - postgres,
        "memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "load": load,
    }


def children() -> float:
    """CPU seconds of the processes that this one has started and outlived."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def postgres_seconds() -> float:
    """CPU seconds of PostgreSQL, its ended sessions included."""
    postmaster = psutil.Process(int((FOLDER / "postmaster.pid").read_text().split()[0]))
    return sum(sum(process.cpu_times()[:4]) for process in (postmaster, *postmaster.children()))


if __name__ == "__main__":
    main()
