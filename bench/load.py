"""The load of every measurement: order.placed events on a topic, as the orders service would publish them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from confluent_kafka import KafkaError, Message, Producer
from uuid_utils.compat import uuid7

ITEMS = [{"product": "tea", "quantity": 1}, {"product": "cup", "quantity": 2}]
QUEUE_LENGTH_MAX = 50_000
QUEUE_POLL_SECONDS = 0.01
PRODUCER = {
    "enable.idempotence": True,
    "linger.ms": 20,
    "compression.type": "lz4",
    "delivery.report.only.error": True,
}


def make_customers(count: int) -> list[UUID]:
    """Return ids for new customers."""
    return [uuid7() for _ in range(count)]


def produce_orders(bootstrap: str, topic: str, customers: Sequence[UUID], count: int, *, amount: str = "1.00") -> None:
    """Put `count` orders of `amount` EUR on the topic, the customers in turn; returns when the brokers have them all.

    Raises RuntimeError when a message was refused or not delivered in time.
    """
    producer = Producer({"bootstrap.servers": bootstrap, **PRODUCER})
    failures: list[str] = []

    def failed(error: KafkaError | None, _: Message) -> None:
        failures.append(str(error))

    for number in range(count):
        key, value, headers = order_placed(customers[number % len(customers)], amount)
        while len(producer) >= QUEUE_LENGTH_MAX:
            producer.poll(QUEUE_POLL_SECONDS)
        producer.produce(topic, value, key, headers=headers, on_delivery=failed)
    if producer.flush(60) or failures:
        raise RuntimeError(f"{topic}: not every order could be produced: {failures[:1]}")


def order_placed(customer_id: UUID, amount: str) -> tuple[bytes, bytes, list[tuple[str, str | bytes | None]]]:
    """Return key, value and headers of a new order's event: CloudEvents 1.0, Kafka binding, binary mode."""
    order_id, customer, now = str(uuid7()), str(customer_id), datetime.now(UTC).isoformat()
    data = {
        "order_id": order_id,
        "customer_id": customer,
        "amount": amount,
        "currency": "EUR",
        "items": ITEMS,
        "placed_at": now,
    }
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"order.placed:{order_id}",
        "ce_source": "/orders",
        "ce_type": "shop.order.placed.v1",
        "ce_subject": order_id,
        "ce_time": now,
        "ce_partitionkey": customer,
        "content-type": "application/json",
    }
    return customer.encode(), msgspec.json.encode(data), [(name, text.encode()) for name, text in headers.items()]
