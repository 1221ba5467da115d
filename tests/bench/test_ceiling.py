"""The ceiling is fast and exact, or it is no ceiling."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from confluent_kafka import Consumer, Message

from bench import ceiling, load, rig, schema
from orders.events import OrderCancelled
from tests.kafka.cluster import KafkaCluster
from tests.kafka.fixtures import kafka as kafka

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with rig.postgres(tmp_path_factory.mktemp("postgres")) as dsn:
        yield dsn


@pytest.fixture
def topic(kafka: KafkaCluster) -> str:
    name = f"orders-{uuid4()}"
    kafka.create_topic(name, partitions=2)
    return name


def test_each_order_is_billed_once_however_often_it_is_read(kafka: KafkaCluster, dsn: str, topic: str) -> None:
    rich, poor = load.make_customers(2)
    schema.prepare(dsn, [rich, poor], balance=Decimal("20.00"))
    orders = [*load.make_orders([rich], 20), *load.make_orders([poor], 3, amount="8.00")]
    load.produce(kafka.bootstrap, topic, [*orders, *orders])

    ceiling.run(kafka.bootstrap, dsn, topic, batch_size=7)
    schema.verify(dsn, orders=23, paid=22, facts=23, balance=Decimal("20.00"))

    assert ceiling.run(kafka.bootstrap, dsn, topic, batch_size=7) == 0.0
    schema.verify(dsn, orders=23, paid=22, facts=23, balance=Decimal("20.00"))


def test_a_refused_order_has_its_reason_and_takes_no_money(kafka: KafkaCluster, dsn: str, topic: str) -> None:
    customer, stranger = load.make_customers(2)
    schema.prepare(dsn, [customer], balance=Decimal("5.00"))
    load.produce(kafka.bootstrap, topic, load.make_orders([customer], 1, amount="5.01"))
    load.produce(kafka.bootstrap, topic, load.make_orders([customer], 1, currency="USD"))
    load.produce(kafka.bootstrap, topic, load.make_orders([stranger], 1))

    ceiling.run(kafka.bootstrap, dsn, topic)

    schema.verify(dsn, orders=3, paid=0, facts=3, balance=Decimal("5.00"))
    with psycopg.connect(dsn) as connection:
        reasons = connection.execute("SELECT reason FROM bench_invoice ORDER BY 1").fetchall()
    assert reasons == [("insufficient_funds",), ("no_account",), ("wrong_currency",)]


def test_an_event_of_another_type_is_passed_over(kafka: KafkaCluster, dsn: str, topic: str) -> None:
    (customer,) = load.make_customers(1)
    schema.prepare(dsn, [customer], balance=Decimal("5.00"))
    (order,) = load.make_orders([customer], 1)
    cancelled = OrderCancelled(order_id=order.order_id, customer_id=customer, cancelled_at=order.placed_at)
    load.produce(kafka.bootstrap, topic, [cancelled, order])

    ceiling.run(kafka.bootstrap, dsn, topic)

    schema.verify(dsn, orders=1, paid=1, facts=1, balance=Decimal("5.00"))


def test_who_lost_the_partitions_leaves_nothing_behind(kafka: KafkaCluster, dsn: str, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (customer,) = load.make_customers(1)
    schema.prepare(dsn, [customer], balance=Decimal("5.00"))
    load.produce(kafka.bootstrap, topic, load.make_orders([customer], 1))
    take = ceiling._take

    def take_while_another_claims(consumer: Consumer, batch_size: int) -> list[Message]:
        with psycopg.connect(dsn) as other:
            other.execute("UPDATE bench_progress SET owner = %s", [uuid4()])
        return take(consumer, batch_size)

    monkeypatch.setattr(ceiling, "_take", take_while_another_claims)

    with pytest.raises(ceiling.Fenced):
        ceiling.run(kafka.bootstrap, dsn, topic)

    schema.verify(dsn, orders=0, paid=0, facts=0, balance=Decimal("5.00"))
