"""The shop's tables before and after a measurement: emptied, filled with accounts and orders, and checked. For a set-up Django."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model, Sum
from django.utils import timezone

from billing import ledger, rules
from billing.models import Account, Invoice, Transfer
from consumers.models import DeadLetter, Position
from kafka_shop.databases import rows
from kafka_shop.messaging import outbox
from kafka_shop.messaging.models import OutboxRow, PublishedLog
from notify.models import Letter
from orders.events import OrderPlaced
from orders.models import Order, OrderLine

TABLES: Sequence[type[Model]] = (Account, Invoice, Transfer, Order, OrderLine, Letter, OutboxRow, PublishedLog, Position, DeadLetter)
ORDER_COLUMNS = ("id", "customer_id", "total", "currency", "placed_at", "reason", "sweep_from", "sweeps")
LINE_COLUMNS = ("order_id", "product", "quantity", "price")
OUTBOX_CHUNK = 5_000
WRONG_ACCOUNTS = """
    SELECT count(*) FROM billing_account a LEFT JOIN (
        SELECT account_id, sum(CASE kind WHEN 'charge' THEN -amount ELSE amount END) AS money, count(*) AS number
        FROM billing_transfer GROUP BY account_id
    ) t ON t.account_id = a.id
    WHERE a.kind = 'customer' AND (a.balance <> coalesce(money, 0) OR a.sequence <> coalesce(number, 0))
"""


def prepare(customers: Sequence[UUID], *, balance: Decimal) -> None:
    """Empties the tables; then opens an account in EUR a customer, with money in it."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # transfers are immutable
        cursor.execute(f"TRUNCATE {', '.join(table._meta.db_table for table in TABLES)} RESTART IDENTITY")
        cursor.execute("SET session_replication_role = origin")
    _open_accounts(customers, balance)


def place(orders: Sequence[OrderPlaced], *, publish: bool) -> None:
    """Places orders as the orders service does; their facts wait in the outbox when they are to be published."""
    _copy(Order, ORDER_COLUMNS, (_order(order) for order in orders))
    _copy(OrderLine, LINE_COLUMNS, (line for order in orders for line in _lines(order)))
    if publish:
        _publish(orders)


def settle_down() -> None:
    """Brings statistics up to date, and writes out what is there, so that no measurement pays for what was before it."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def verify(**expected: int | Decimal) -> None:
    """Checks what a measurement has left against figures of `found`. Raises AssertionError naming what differs."""
    seen = found()
    wrong = {name: f"{seen[name]} instead of {value}" for name, value in expected.items() if seen[name] != value}
    if wrong:
        raise AssertionError(f"the outcome is wrong: {wrong}")


def found() -> Mapping[str, int | Decimal]:
    """What the tables hold."""
    return {
        "invoices": Invoice.objects.count(),
        "paid_invoices": Invoice.objects.filter(status="paid").count(),
        "charges": Transfer.objects.filter(kind="charge").count(),
        "money": Account.objects.aggregate(sum=Sum("balance"))["sum"] or Decimal(0),
        "wrong_accounts": rows("default", WRONG_ACCOUNTS)[0][0],
        "paid_orders": Order.objects.filter(status="paid").count(),
        "letters": Letter.objects.count(),
        "outbox": OutboxRow.objects.count(),
        "dead_letters": DeadLetter.objects.count(),
    }


def _open_accounts(customers: Sequence[UUID], balance: Decimal) -> None:
    now = timezone.now()
    with transaction.atomic():
        for kind in ("cash", "sales"):
            Account.objects.create(kind=kind, currency="EUR", created_at=now)
        accounts = [
            Account(kind="customer", customer_id=customer, currency="EUR", balance=Decimal("0.00"), created_at=now)
            for customer in customers
        ]
        Account.objects.bulk_create(accounts)
        deposits = [rules.Posting(rules.move(account, balance), balance) for account in ledger.lock_accounts(customers)]
        ledger.post("deposit", deposits, now=now)


def _copy(table: type[Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table._meta.db_table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _order(order: OrderPlaced) -> Sequence[object]:
    return order.order_id, order.customer_id, order.amount, order.currency, order.placed_at, "", order.placed_at, 0


def _lines(order: OrderPlaced) -> Iterator[Sequence[object]]:
    return ((order.order_id, item.product, item.quantity, item.price) for item in order.items)


def _publish(orders: Sequence[OrderPlaced]) -> None:
    with transaction.atomic():
        for start in range(0, len(orders), OUTBOX_CHUNK):
            outbox.publish(orders[start : start + OUTBOX_CHUNK], alias="default", now=timezone.now())
