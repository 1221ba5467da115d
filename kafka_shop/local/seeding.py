"""Data to try things on: customers with money, and orders that leave by the outbox like all others. Made in sets, a transaction each."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password

import billing.rules
import orders.rules
from billing import ledger
from billing.models import Account
from kafka_shop.databases import alias_of, limited_transaction, run, served_aliases
from kafka_shop.ids import uuid7
from kafka_shop.users.models import User
from orders import selectors
from orders.services import place_priced, seed_catalogue

NAME = "customer-"  # what their names begin with: people who sign in are left alone
SET = 1000  # rows of the leading table in one transaction
MOST_CUSTOMERS = 100_000  # among which orders are spread
RICHEST, MOST_LINES, MOST_PIECES = 200_000, 3, 3

Advance = Callable[[int], None]
Clock = Callable[[], datetime]


class NoCustomers(Exception):
    """There is nobody who could order."""


def seed_customers(count: int, *, clock: Clock, advance: Advance) -> None:
    """Makes customers who cannot sign in, each with an account and up to RICHEST in it. `advance` is told of each set."""
    for size in sizes(count):
        users = [User(id=uuid7(), password=make_password(None)) for _ in range(size)]
        for user in users:
            user.username = NAME + user.id.hex
        User.objects.bulk_create(users)
        open_accounts([user.id for user in users], now=clock())
        advance(size)


def open_accounts(customers: list[UUID], *, now: datetime) -> None:
    """Opens the customers' accounts, and pays money into them."""
    opened = {"currency": settings.CURRENCY, "created_at": now}
    shop = [Account(kind=kind, **opened) for kind in (Account.Kind.CASH, Account.Kind.SALES)]
    own = [Account(kind=Account.Kind.CUSTOMER, customer_id=customer, balance=Decimal("0.00"), **opened) for customer in customers]
    with limited_transaction(alias_of("billing")):
        Account.objects.bulk_create([*shop, *own], ignore_conflicts=True)
        deposits = [(account, Decimal(random.randint(1, RICHEST))) for account in ledger.lock_accounts(customers)]
        postings = [billing.rules.Posting(billing.rules.move(account, amount), amount) for account, amount in deposits]
        ledger.post("deposit", postings, now=now)


def seed_orders(count: int, *, clock: Clock, advance: Advance) -> None:
    """Places orders of seeded customers, at the catalogue's prices. Raises NoCustomers."""
    seed_catalogue()
    customers = list(User.objects.filter(username__startswith=NAME).values_list("id", flat=True)[:MOST_CUSTOMERS])
    if count and not customers:
        raise NoCustomers("there are no seeded customers yet: add --customers N")
    catalogue = {product.sku: (product.price, product.currency) for product in selectors.products()}
    for size in sizes(count):
        place_priced([(random.choice(customers), orders.rules.price(basket(list(catalogue)), catalogue)) for _ in range(size)], now=clock())
        advance(size)


def analyze() -> None:
    """Tells the planner of the new rows: plans made for empty tables would stay."""
    for alias in served_aliases():
        run(alias, "ANALYZE")


def basket(skus: list[str]) -> list[tuple[str, int]]:
    """A few products, a few pieces of each."""
    return [(sku, random.randint(1, MOST_PIECES)) for sku in random.sample(skus, min(random.randint(1, MOST_LINES), len(skus)))]


def sizes(count: int) -> Iterator[int]:
    """`count` in sets."""
    for start in range(0, count, SET):
        yield min(SET, count - start)
