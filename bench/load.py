"""The load of every measurement: the shop's own events, as its services publish them, and topics that are full of them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from confluent_kafka import KafkaError, Message, Producer

from billing.events import InvoiceSettled
from kafka_shop.ids import uuid7
from kafka_shop.messaging.envelope import seal, to_kafka
from kafka_shop.messaging.events import Event
from orders.events import Item, OrderPlaced, OrderSettled

QUEUE_LENGTH_MAX = 50_000
QUEUE_POLL_SECONDS = 0.01
PRODUCER = {
    "enable.idempotence": True,
    "linger.ms": 20,
    "compression.type": "lz4",
    "delivery.report.only.error": True,
    "partitioner": "murmur2_random",  # the shop's
}


def make_customers(count: int) -> list[UUID]:
    """Return ids for new customers."""
    return [uuid7() for _ in range(count)]


def make_orders(customers: Sequence[UUID], count: int, *, amount: str = "1.00", currency: str = "EUR") -> Iterator[OrderPlaced]:
    """Yield `count` new orders of one item, the customers in turn."""
    price = Decimal(amount)
    items = (Item(product="tea", quantity=1, price=price),)
    for number in range(count):
        yield OrderPlaced(
            order_id=uuid7(),
            customer_id=customers[number % len(customers)],
            amount=price,
            currency=currency,
            items=items,
            placed_at=datetime.now(UTC),
        )


def paid(order: OrderPlaced) -> InvoiceSettled:
    """What billing says of an order that it charged."""
    return InvoiceSettled(
        order_id=order.order_id,
        customer_id=order.customer_id,
        invoice_id=uuid7(),
        amount=order.amount,
        currency=order.currency,
        outcome="paid",
        settled_at=order.placed_at,
    )


def settled(order: OrderPlaced) -> OrderSettled:
    """What orders says of an order that was paid."""
    return OrderSettled(
        order_id=order.order_id,
        customer_id=order.customer_id,
        outcome="paid",
        amount=order.amount,
        currency=order.currency,
        settled_at=order.placed_at,
    )


def produce(bootstrap: str, topic: str, events: Iterable[Event]) -> None:
    """Put the events on the topic, keyed by customer; return when the brokers have them all.

    Raises RuntimeError when a message was refused or not delivered in time.
    """
    producer = Producer({"bootstrap.servers": bootstrap, **PRODUCER})
    failures: list[str] = []

    def failed(error: KafkaError | None, _: Message) -> None:
        failures.append(str(error))

    for event in events:
        headers, value = to_kafka(seal(event))
        while len(producer) >= QUEUE_LENGTH_MAX:
            producer.poll(QUEUE_POLL_SECONDS)
        producer.produce(topic, value, str(event.customer_id), headers=list(headers), on_delivery=failed)
    if producer.flush(60) or failures:
        raise RuntimeError(f"{topic}: not every event could be produced: {failures[:1]}")
