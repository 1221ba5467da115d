"""What the demo's buttons do. Only with settings.DEMO there is a way to them.

The poison message is a placed order that orders itself has lost, as after an older backup. Billing takes the money, and orders cannot
apply the result: it becomes a dead letter. Once the order is brought back the dead letter can be replayed; if nobody does, the sweep asks
billing again after SWEEP_AFTER_SECONDS, and the answer closes it.
"""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction

import billing.services
import orders.services
from billing.events import InvoiceSettled
from billing.models import Account
from consumers.metrics import placed_at
from consumers.models import DeadLetter
from consumers.reading import Reader
from consumers.replay import record_of
from kafka_shop.databases import alias_of
from kafka_shop.ids import uuid7
from kafka_shop.messaging import outbox
from kafka_shop.users.models import User
from orders.events import Item, OrderPlaced
from orders.models import Order, OrderLine, Product

PAYS, CANNOT_PAY = "alice", "bob"  # of the demo's people
RUSH = 500  # orders at once
MOST_PIECES = 10_000
MOST_LOOKED_AT = 100


def place_paid(*, count: int, now: datetime) -> list[Order]:
    """Orders of one piece of the cheapest product each, by somebody who has the money. Raises Product.DoesNotExist."""
    product, customer = cheapest(), customer_of(PAYS)
    give_money(customer, product.price * count, product.currency, now)
    placed = orders.services.place_orders(customer_id=customer, baskets=[[(product.sku, 1)]] * count, now=now)
    return [each for each in placed if isinstance(each, Order)]


def place_refused(*, now: datetime) -> Order:
    """An order that costs more than its customer has. Raises Product.DoesNotExist."""
    dearest = Product.objects.filter(active=True).latest("price")
    return orders.services.place_order(customer_id=customer_of(CANNOT_PAY), items=[(dearest.sku, MOST_PIECES)], now=now)


def lose_order(*, now: datetime) -> UUID:
    """Sends the poison message: tells billing of an order that orders does not keep. Raises Product.DoesNotExist."""
    product, customer, id = cheapest(), customer_of(PAYS), uuid7()
    give_money(customer, product.price, product.currency, now)
    item = Item(product=product.sku, quantity=1, price=product.price)
    fact = OrderPlaced(
        order_id=id, customer_id=customer, amount=product.price, currency=product.currency, items=(item,), placed_at=drawn_at(id)
    )
    with transaction.atomic(using=alias_of("orders")):
        outbox.publish([fact], alias=alias_of("orders"), now=now)
    return id


def lost_orders() -> list[InvoiceSettled]:
    """What billing says of orders that are lost, by the open dead letters of orders."""
    open_ones = DeadLetter.objects.using(alias_of("orders")).filter(consumer="orders", event_type=InvoiceSettled.type, closed_at=None)
    reader = Reader({InvoiceSettled.type: InvoiceSettled})
    events = [reader.read(record_of(each)).event for each in open_ones.order_by("-id")[:MOST_LOOKED_AT]]
    told = {each.order_id: each for each in events if isinstance(each, InvoiceSettled)}
    known = set(Order.objects.filter(id__in=told).values_list("id", flat=True))
    return [each for id, each in told.items() if id not in known]


def bring_back(*, result: InvoiceSettled, now: datetime) -> None:
    """Makes a lost order again from what billing says of it: the remedy. Raises Product.DoesNotExist."""
    id, time = result.order_id, drawn_at(result.order_id)
    with transaction.atomic(using=alias_of("orders")):
        order = Order.objects.create(
            id=id, customer_id=result.customer_id, total=result.amount, currency=result.currency, placed_at=time, sweep_from=now
        )
        OrderLine.objects.create(order=order, product=cheapest().sku, quantity=1, price=result.amount)


def cheapest() -> Product:
    return Product.objects.filter(active=True).earliest("price", "sku")


def customer_of(name: str) -> UUID:
    """The customer's id; one who is not there yet is made, and cannot sign in."""
    return (User.objects.filter(username=name).first() or User.objects.create_user(name)).pk


def give_money(customer: UUID, amount: Decimal, currency: str, now: datetime) -> None:
    """Pays into the customer's account; where billing is served elsewhere, the customer has what he has."""
    if "billing" not in settings.SERVICES:
        return
    account = Account.objects.filter(customer_id=customer, currency=currency).first()
    account = account or billing.services.open_account(customer_id=customer, currency=currency, now=now)
    billing.services.deposit(account_id=account.id, amount=amount, now=now)


def drawn_at(order_id: UUID) -> datetime:
    """When the id was drawn, to the millisecond: the lost order's own time, which is told only once."""
    return datetime.fromtimestamp(placed_at(order_id), UTC)
