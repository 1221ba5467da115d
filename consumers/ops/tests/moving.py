"""Moves what waits in the outbox by hand, so that an order can be stopped anywhere on its way."""

from decimal import Decimal

from django.conf import settings
from django.utils import timezone

import billing.services
import orders.services
from consumers import batch
from consumers.positions import Positions
from consumers.reading import Item, Reader
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of
from kafka_shop.messaging.envelope import from_json, to_kafka
from kafka_shop.messaging.kafka import Record
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from orders.models import Order

PARTITION = 1


def placed(customer: User, money: str = "100.00") -> Order:
    """An order of two cups by a customer with that much money. Nothing of it has moved yet."""
    account = billing.services.open_account(customer_id=customer.pk, currency="EUR", now=timezone.now())
    billing.services.deposit(account_id=account.id, amount=Decimal(money), now=timezone.now())
    orders.services.seed_catalogue()
    return orders.services.place_order(customer_id=customer.pk, items=[("MUG-001", 2)], now=timezone.now())


def published(destination: str) -> list[Record]:
    """Takes the rows of a destination out of the outbox, as records of its topic."""
    rows = OutboxRow.objects.filter(destination=destination).order_by("number")
    sealed = [(str(row.key).encode(), to_kafka(from_json(bytes(row.event)))) for row in rows]
    rows.delete()
    return [
        Record(settings.TOPICS[destination], PARTITION, offset, 0, key, list(headers), value)
        for offset, (key, (headers, value)) in enumerate(sealed)
    ]


def moved(*names: str) -> None:
    """Lets each consumer in turn read what waits for it."""
    for name in names:
        apply(name, published(ROUTES[name].topic))


def apply(name: str, records: list[Record], refusal: str = "") -> None:
    """Applies records, or refuses them."""
    route = ROUTES[name]
    positions = Positions(alias_of(name), name, settings.TOPICS[route.topic])
    items = [item_of(name, record, refusal) for record in records]
    claims = {claim.partition: claim for claim in positions.claim([PARTITION])}
    batch.apply(items, handlers=route.handlers, positions=positions, claims=claims, now=timezone.now())


def item_of(name: str, record: Record, refusal: str) -> Item:
    item = Reader({kind.type: kind for kind in ROUTES[name].handlers}).read(record)
    item.refusal = refusal
    return item
