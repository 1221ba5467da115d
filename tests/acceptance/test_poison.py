"""Messages that cannot be applied are kept, and hold up nobody."""

from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from confluent_kafka import Producer
from django.utils import timezone

from consumers.models import DeadLetter
from kafka_shop.databases import run
from kafka_shop.ids import uuid7
from kafka_shop.messaging.envelope import Headers, seal, to_kafka
from orders.events import Item, OrderPlaced
from orders.models import Order
from tests.acceptance.shop import Shop, until
from tests.kafka.probe import CLIENT

pytestmark = pytest.mark.kafka


def test_what_cannot_be_applied_is_kept_and_the_rest_of_its_partition_goes_on(shop: Shop) -> None:
    alice = shop.customer("100.00")
    known = shop.order(alice)
    shop.start()
    shop.settles()

    headers, value = to_kafka(seal(placed(known)))
    contradiction = to_kafka(seal(msgspec.structs.replace(placed(known), amount=Decimal("0.01"))))[1]
    publish(shop, alice, [], b"\xffnot an event")
    publish(shop, alice, with_(headers, ce_type=b"shop.order.placed.v2", ce_id=b"order.placed:another"), value)
    publish(shop, alice, with_(headers, ce_type=b"somebody.elses.v1"), value)
    publish(shop, alice, headers, contradiction)
    shop.order(alice)
    shop.settles(dead_letters=3)

    assert list(DeadLetter.objects.order_by("offset").values_list("reason", "attempts")) == [
        ("unreadable: the header ce_id is missing", 1),
        ("unreadable: shop.order.placed.v2 is a version that this consumer does not know", 1),
        (f"Conflict: order {known.id} is known with another amount or currency", 3),
    ]
    assert [bytes(letter.value or b"") for letter in DeadLetter.objects.order_by("offset")] == [b"\xffnot an event", value, contradiction]


def test_a_dead_letter_that_is_replayed_has_its_effect_and_all_that_follows(shop: Shop) -> None:
    """An order that is away when its invoice is settled, as after an older backup: its dead letter waits until it is back."""
    alice, away = shop.customer("100.00"), uuid7()
    shop.order(alice)
    workers = shop.start()
    shop.settles()
    workers["orders"].stop()
    order = shop.order(alice)
    rename(order.id, away)
    shop.consumer("orders")
    until(lambda: DeadLetter.objects.exists(), "the invoice of an unknown order is a dead letter")
    assert shop.run("dead_letters", "replay", "--all").returncode == 1
    rename(away, order.id)

    replayed = shop.run("dead_letters", "replay", "--subject", str(order.id))

    assert (replayed.returncode, replayed.stdout) == (0, "1 dead letter\n1 replayed\n")
    shop.settles()
    letter = DeadLetter.objects.get()
    assert (letter.consumer, letter.state, letter.attempts) == ("orders", "replayed", 5)
    assert Order.objects.get(id=order.id).status == "paid"


def rename(old: UUID, new: UUID) -> None:
    """Gives an order another id, and takes no heed of its lines."""
    run("default", "SET session_replication_role = replica")
    assert run("default", "UPDATE orders_order SET id = %s WHERE id = %s", new, old) == 1
    run("default", "SET session_replication_role = origin")


def placed(order: Order) -> OrderPlaced:
    """The fact of an order of one tea, stated again."""
    items = (Item(product="TEA-001", quantity=1, price=order.total),)
    return OrderPlaced(
        order_id=order.id, customer_id=order.customer_id, amount=order.total, currency=order.currency, items=items, placed_at=timezone.now()
    )


def with_(headers: Headers, **other: bytes) -> Headers:
    return [(name, other.get(name, value)) for name, value in headers]


def publish(shop: Shop, key: UUID, headers: Headers, value: bytes) -> None:
    """Puts a message where the customer's orders go."""
    producer = Producer({"bootstrap.servers": shop.kafka.bootstrap, "partitioner": "murmur2_random", **CLIENT})
    producer.produce(shop.topics["order-topic"], value, str(key), headers=list(headers))
    assert producer.flush(10) == 0
