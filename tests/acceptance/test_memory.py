"""A consumer's memory is bounded by its settings, however far behind it is."""

import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from confluent_kafka import Producer
from django.utils import timezone
from msgspec import json

from kafka_shop.ids import uuid7
from kafka_shop.messaging.envelope import Headers, seal, to_kafka
from kafka_shop.messaging.kafka.subscription import CONSUMER
from orders.events import Item, OrderPlaced
from tests.acceptance.shop import LONGEST_SECONDS, Shop
from tests.acceptance.worker import Worker
from tests.kafka.probe import CLIENT

pytestmark = pytest.mark.kafka
BODY_BYTES = 2000
READ = 20_000  # messages, and what the smaller lag is: already more bytes than a consumer keeps
BEHIND = 200_000
PAUSE_SECONDS = 0.05


def test_a_consumer_that_is_far_behind_needs_no_more_memory_than_one_that_is_not(shop: Shop) -> None:
    idle = peak(shop.consumer("billing", "--until-idle"))
    publish(shop, READ)
    near = peak(shop.consumer("billing", "--max-messages", str(READ)))
    publish(shop, BEHIND)
    far = peak(shop.consumer("billing", "--from", "earliest", "--max-messages", str(READ)))

    # the client's queue, one answer of the broker a partition, and a batch with its events, facts and SQL; twice, for what they are kept in
    bound = CONSUMER["queued.max.messages.kbytes"] * 1024 + 2 * 1024**2 + 1000 * 10 * BODY_BYTES
    assert far - idle < 2 * bound, f"{far - idle:,} bytes above an idle consumer"
    assert far < 1.15 * near, f"{far:,} bytes, {near:,} with a small lag"


def peak(consumer: Worker) -> int:
    """The most bytes that a consumer had resident until it ended in good order."""
    most, deadline = 0, time.monotonic() + LONGEST_SECONDS
    while consumer.running:
        assert time.monotonic() < deadline, "the consumer does not come to its end"
        most = max(most, resident(consumer.pid))
        time.sleep(PAUSE_SECONDS)
    assert consumer.wait(1) == 0
    return most


def resident(pid: int) -> int:
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return int(answer or 0) * 1024


def publish(shop: Shop, count: int) -> None:
    """So many fat orders of a hundred customers without an account; a thousand of them are told again and again."""
    producer = Producer({"bootstrap.servers": shop.kafka.bootstrap, "linger.ms": 20, **CLIENT})
    orders = list(placed(1000))
    for place in range(count):
        key, headers, value = orders[place % len(orders)]
        while True:
            try:
                producer.produce(shop.topics["order-topic"], value, key, headers=list(headers))
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(LONGEST_SECONDS) == 0


def placed(count: int) -> Iterator[tuple[str, Headers, bytes]]:
    """Key, headers and value, with a field that no reader knows."""
    customers = [uuid7() for _ in range(100)]
    for number in range(count):
        order = OrderPlaced(
            order_id=uuid7(),
            customer_id=customers[number % len(customers)],
            amount=Decimal("7.50"),
            currency="EUR",
            items=(Item(product="TEA-001", quantity=1, price=Decimal("7.50")),),
            placed_at=timezone.now(),
        )
        headers, value = to_kafka(seal(order))
        yield str(order.customer_id), headers, json.encode(json.decode(value) | {"note": "n" * BODY_BYTES})
