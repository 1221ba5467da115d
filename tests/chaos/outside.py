"""What reaches the logs and the groups from outside of the shop: poison, duplicates, members that come and go. For a set-up Django."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from billing.events import InvoiceSettled
from billing.models import Invoice
from consumers.positions import Positions
from consumers.routes import ROUTES, Route
from kafka_shop.ids import uuid7
from kafka_shop.messaging.envelope import Headers, seal, to_kafka
from kafka_shop.messaging.events import Event
from kafka_shop.messaging.kafka.records import headers_of
from kafka_shop.messaging.kafka.subscription import CONSUMER, group_protocol
from orders.events import Item, OrderPlaced, OrderSettled
from tests.chaos.rig import PARTITIONS
from tests.kafka.cluster import KafkaCluster
from tests.kafka.probe import CLIENT, wait_until

TAIL_MESSAGES = 50  # of a partition, that are duplicated
COPIES = 10
SECONDS = 30.0  # a bound for what never comes
MEMBER_SECONDS = 2.0  # that a member of a storm stays at most

Outgoing = tuple[str, bytes | None, Sequence[tuple[str, bytes | None]], bytes | None]  # topic, key, headers, value


def poison(kafka: KafkaCluster) -> float:
    """Puts poison before a consumer; returns the seconds from its arrival until its partition has moved on."""
    name = random.choice(sorted(ROUTES))
    partition, offset = put_poison(kafka, name)
    begun = time.monotonic()
    wait_until(lambda: has_passed(name, partition, offset), SECONDS, f"{name} passes a poisoned message")
    return time.monotonic() - begun


def put_poison(kafka: KafkaCluster, name: str) -> tuple[int, int]:
    """Publishes a message that this consumer can never apply; returns its partition and offset."""
    [place] = produce(kafka, [(settings.TOPICS[ROUTES[name].topic], *poisoned(name))])
    return place


def poisoned(name: str) -> tuple[bytes, Headers, bytes]:
    """Key, headers and value: a contradiction, an unknown order, or data that is not JSON. Its id is its own: no real event closes it."""
    invoice = Invoice.objects.exclude(amount=None).latest("opened_at")
    envelope = msgspec.structs.replace(seal(contradiction(name, invoice)), id=f"poison:{uuid7()}")
    if name == "notify":
        envelope = msgspec.structs.replace(envelope, data=msgspec.Raw(b"{not JSON"))
    headers, value = to_kafka(envelope)
    return str(invoice.customer_id).encode(), headers, value


def contradiction(name: str, invoice: Invoice) -> Event:
    """Billing hears of a known order with another amount, orders of an order that it never had."""
    cent, now = Decimal("0.01"), timezone.now()
    same: dict[str, Any] = {"customer_id": invoice.customer_id, "amount": cent, "currency": invoice.currency}
    if name == "billing":
        items = (Item(product="TEA-001", quantity=1, price=cent),)
        return OrderPlaced(order_id=invoice.order_id, items=items, placed_at=now, **same)
    if name == "orders":
        return InvoiceSettled(order_id=uuid7(), invoice_id=uuid7(), outcome="paid", settled_at=now, **same)
    return OrderSettled(order_id=invoice.order_id, outcome="paid", settled_at=now, **same)


def has_passed(name: str, partition: int, offset: int) -> bool:
    try:
        return Positions("default", name, settings.TOPICS[ROUTES[name].topic]).read().get(partition, 0) > offset
    except DatabaseError:
        connection.close()
        return False


def duplicate(kafka: KafkaCluster) -> int:
    """Produces the last messages of every partition COPIES times more, in any order; returns how many."""
    copies = [(topic, each.key(), headers_of(each), each.value()) for topic in settings.TOPICS.values() for each in tail(kafka, topic)]
    copies *= COPIES
    random.shuffle(copies)
    produce(kafka, copies)
    return len(copies)


def tail(kafka: KafkaCluster, topic: str) -> list[Message]:
    """The last messages of each partition."""
    reader = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "chaos.tail", "enable.auto.commit": False, **CLIENT})
    found: list[Message] = []
    try:
        ends = [reader.get_watermark_offsets(TopicPartition(topic, each), timeout=SECONDS)[1] for each in range(PARTITIONS)]
        starts = [max(0, end - TAIL_MESSAGES) for end in ends]
        reader.assign([TopicPartition(topic, each, start) for each, start in enumerate(starts)])
        wait_until(lambda: read(reader, found) >= sum(ends) - sum(starts), SECONDS, f"the tail of {topic} is read")
    finally:
        reader.close()
    return found


def read(reader: Consumer, found: list[Message]) -> int:
    """Adds what has come; returns how much there is."""
    found += [message for message in reader.consume(500, 0.1) if message.error() is None]
    return len(found)


def produce(kafka: KafkaCluster, messages: Sequence[Outgoing]) -> list[tuple[int, int]]:
    """Publishes messages; returns partition and offset of each. Raises TimeoutError."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "partitioner": "murmur2_random", "acks": "all", **CLIENT})
    places: list[tuple[int, int]] = []

    def answer(error: KafkaError | None, message: Message) -> None:
        if error is None:
            places.append((message.partition() or 0, message.offset() or 0))

    for topic, key, headers, value in messages:
        producer.produce(topic, value, key, headers=list(headers), on_delivery=answer)
    producer.flush(SECONDS)
    if len(places) < len(messages):
        raise TimeoutError(f"{len(messages) - len(places)} of {len(messages)} messages were not acknowledged")
    return places


def storm(kafka: KafkaCluster, seconds: float) -> int:
    """Members join every group and leave it, again and again; returns how many did."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor() as pool:
        return sum(pool.map(lambda route: visit(kafka, route, until), ROUTES.values()))


def visit(kafka: KafkaCluster, route: Route, until: float) -> int:
    count = 0
    while time.monotonic() < until:
        member = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": route.group, **CLIENT, **CONSUMER, **group_protocol()})
        member.subscribe([settings.TOPICS[route.topic]])
        leave_at = time.monotonic() + random.uniform(0.1, MEMBER_SECONDS)
        while not member.assignment() and time.monotonic() < leave_at:
            member.poll(0.05)
        member.close()
        count += 1
    return count
