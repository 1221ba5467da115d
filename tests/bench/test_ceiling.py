"""The ceiling is fast and exact, or it is no ceiling."""

from decimal import Decimal
from uuid import uuid4

import msgspec
import psycopg
import pytest
from confluent_kafka import Consumer, Message, Producer

from bench import ceiling, data, load, shop
from bench.ceiling_process import PRODUCER, carry
from bench.ceiling_steps import STEPS
from billing.events import InvoiceSettled
from billing.models import Invoice
from consumers.models import Position
from kafka_shop.messaging.envelope import from_json
from kafka_shop.messaging.models import OutboxRow
from orders.events import OrderCancelled
from orders.models import Order
from tests.kafka.cluster import KafkaCluster

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("committed")]


@pytest.fixture
def topic(kafka: KafkaCluster) -> str:
    name = f"orders-{uuid4()}"
    kafka.create_topic(name, partitions=2)
    return name


def run(kafka: KafkaCluster, topic: str) -> float:
    return ceiling.run(kafka.bootstrap, shop.dsn(), topic, batch_size=7)


def test_each_order_is_billed_once_however_often_it_is_read(kafka: KafkaCluster, topic: str) -> None:
    rich, poor = load.make_customers(2)
    data.prepare([rich, poor], balance=Decimal("20.00"))
    orders = [*load.make_orders([rich], 20), *load.make_orders([poor], 3, amount="8.00")]
    load.produce(kafka.bootstrap, topic, [*orders, *orders])

    run(kafka, topic)
    data.verify(invoices=23, paid_invoices=22, charges=22, outbox=23, money=Decimal("4.00"), wrong_accounts=0)

    assert run(kafka, topic) == 0.0
    data.verify(invoices=23, paid_invoices=22, charges=22, outbox=23, money=Decimal("4.00"), wrong_accounts=0)


def test_a_refused_order_has_its_reason_and_takes_no_money(kafka: KafkaCluster, topic: str) -> None:
    customer, stranger = load.make_customers(2)
    data.prepare([customer], balance=Decimal("5.00"))
    load.produce(kafka.bootstrap, topic, load.make_orders([customer], 1, amount="5.01"))
    load.produce(kafka.bootstrap, topic, load.make_orders([customer], 1, currency="USD"))
    load.produce(kafka.bootstrap, topic, load.make_orders([stranger], 1))

    run(kafka, topic)

    data.verify(invoices=3, paid_invoices=0, charges=0, outbox=3, money=Decimal("5.00"), wrong_accounts=0)
    assert sorted(Invoice.objects.values_list("reason", flat=True)) == ["insufficient_funds", "no_account", "wrong_currency"]


def test_its_facts_are_the_shops(kafka: KafkaCluster, topic: str) -> None:
    (customer,) = load.make_customers(1)
    data.prepare([customer], balance=Decimal("5.00"))
    (order,) = load.make_orders([customer], 1)
    load.produce(kafka.bootstrap, topic, [order])

    run(kafka, topic)

    row = OutboxRow.objects.get()
    fact = from_json(bytes(row.event))
    invoice = Invoice.objects.get()
    assert (row.event_id, row.key) == (fact.id, fact.partitionkey) == (f"invoice.settled:{order.order_id}", str(customer))
    assert msgspec.json.decode(fact.data, type=InvoiceSettled) == InvoiceSettled(
        order_id=order.order_id,
        customer_id=customer,
        invoice_id=invoice.id,
        amount=order.amount,
        currency="EUR",
        outcome="paid",
        settled_at=fact.time,
    )


def test_its_pipeline_takes_each_order_to_its_letter_once(kafka: KafkaCluster) -> None:
    (customer,) = load.make_customers(1)
    data.prepare([customer], balance=Decimal("3.00"))
    topics = {logical: f"{logical}-{uuid4()}" for logical in ("order-topic", "billing-topic", "notify-topic")}
    for name in topics.values():
        kafka.create_topic(name, partitions=2)
    data.place(list(load.make_orders([customer], 5)), publish=True)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, **PRODUCER})
    with psycopg.connect(shop.dsn(), autocommit=True) as connection:
        for topic, step in STEPS.values():
            assert carry(connection, producer, topics) == 5
            for _ in range(2):
                ceiling.run(kafka.bootstrap, shop.dsn(), topics[topic], step, batch_size=3)

    data.verify(invoices=5, paid_invoices=3, charges=3, paid_orders=3, letters=5, outbox=0, money=Decimal("0.00"), wrong_accounts=0)
    assert sorted(Order.objects.values_list("status", "reason")) == [("paid", "")] * 3 + [("rejected", "insufficient_funds")] * 2


def test_an_event_of_another_type_is_passed_over(kafka: KafkaCluster, topic: str) -> None:
    (customer,) = load.make_customers(1)
    data.prepare([customer], balance=Decimal("5.00"))
    (order,) = load.make_orders([customer], 1)
    cancelled = OrderCancelled(order_id=order.order_id, customer_id=customer, cancelled_at=order.placed_at)
    load.produce(kafka.bootstrap, topic, [cancelled, order])

    run(kafka, topic)

    data.verify(invoices=1, paid_invoices=1, charges=1, outbox=1, money=Decimal("4.00"), wrong_accounts=0)


def test_who_lost_the_partitions_leaves_nothing_behind(kafka: KafkaCluster, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (customer,) = load.make_customers(1)
    data.prepare([customer], balance=Decimal("5.00"))
    load.produce(kafka.bootstrap, topic, load.make_orders([customer], 1))
    take = ceiling._take

    def take_while_another_claims(consumer: Consumer, batch_size: int) -> list[Message]:
        Position.objects.update(owner=uuid4())
        return take(consumer, batch_size)

    monkeypatch.setattr(ceiling, "_take", take_while_another_claims)

    with pytest.raises(ceiling.Fenced):
        run(kafka, topic)

    data.verify(invoices=0, paid_invoices=0, charges=0, outbox=0, money=Decimal("5.00"), wrong_accounts=0)
