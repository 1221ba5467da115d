"""What Prometheus is told of batches, lag, outbox and dead letters."""

import socket
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import transaction
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django import Settings

from consumers import metrics
from consumers.health import State
from consumers.reading import Item
from consumers.receiving import receive
from kafka_shop.ids import uuid7
from kafka_shop.messaging import envelope, outbox
from kafka_shop.messaging.kafka import BrokerAway
from orders.events import OrderCancelled

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def grown() -> Iterator[Any]:
    """How much a metric has grown since the test began."""
    before: dict[Any, float] = {}
    for family in REGISTRY.collect():
        before |= {(sample.name, *sorted(sample.labels.items())): sample.value for sample in family.samples}
    yield lambda name, **labels: value(name, **labels) - before.get((name, *sorted(labels.items())), 0.0)


def cancelled() -> OrderCancelled:
    return OrderCancelled(order_id=uuid7(), customer_id=uuid7(), cancelled_at=NOW)


@pytest.mark.usefixtures("committed")
def test_a_batch_that_is_applied_is_counted_by_type_with_its_dead_letters(grown: Any) -> None:
    events = [envelope.to_json(envelope.seal(cancelled())) for _ in range(3)]

    receive("billing", [*events, b'{"specversion": "1.0"}'])

    assert grown("shop_messages_total", consumer="billing", type="shop.order.cancelled.v1") == 3
    assert grown("shop_messages_total", consumer="billing", type="foreign or unreadable") == 1
    assert grown("shop_batches_total", consumer="billing") >= 1
    assert grown("shop_batch_seconds_count", consumer="billing") == grown("shop_batches_total", consumer="billing")
    assert grown("shop_dead_letters_total", consumer="billing") == 1
    assert grown("shop_since_order_seconds_count", consumer="billing") == 3


def test_the_time_since_the_order_is_read_from_its_id(grown: Any) -> None:
    event = cancelled()
    item = cast(Item, SimpleNamespace(event=event, refusal=""))

    metrics.applied("notify", [item], 0.1, timezone.now() + timedelta(seconds=7))

    assert 6.5 < grown("shop_since_order_seconds_sum", consumer="notify") < 8


def loop(lag: Any) -> Any:
    states = {"0": State.OK, "1": State.STALLED, "2": State.OK}
    return SimpleNamespace(name="orders", membership=SimpleNamespace(states=lambda: states, lag=lag))


def test_lag_and_partitions_are_those_of_the_loop() -> None:
    metrics.of_loop(loop(lambda: 42))

    assert value("shop_lag_messages", consumer="orders") == 42
    assert [value("shop_partitions", consumer="orders", state=state) for state in State] == [2, 0, 0, 1]


def test_what_is_not_answered_stays_as_it_was_and_ends_nothing(settings: Settings) -> None:
    settings.METRICS_PORT = 9100
    metrics.of_loop(loop(lambda: 42))

    def away() -> int:
        raise BrokerAway("no broker answers")

    metrics.Now(lambda: metrics.of_loop(loop(away)))()

    assert value("shop_lag_messages", consumer="orders") == 42


def test_without_a_port_nothing_is_asked(settings: Settings) -> None:
    settings.METRICS_PORT = 0
    asked: list[int] = []

    metrics.Now(lambda: asked.append(1))()
    metrics.serve()

    assert not asked


def test_it_is_asked_now_and_then_only(settings: Settings) -> None:
    settings.METRICS_PORT = 9100
    asked: list[int] = []
    now = metrics.Now(lambda: asked.append(1))

    now()
    now()

    assert len(asked) == 1


@pytest.mark.usefixtures("committed")
def test_the_outbox_is_told_by_destination_and_zero_when_empty() -> None:
    relay = cast(Any, SimpleNamespace(destinations=["order-topic", "billing-topic"]))

    with transaction.atomic():
        outbox.publish([cancelled(), cancelled()], alias="default", now=NOW)

    metrics.of_relay(relay, NOW + timedelta(seconds=90))

    assert value("shop_outbox_rows", destination="order-topic") == 2
    assert value("shop_outbox_oldest_seconds", destination="order-topic") == 90
    assert value("shop_outbox_rows", destination="billing-topic") == 0
    assert value("shop_open_dead_letters", consumer="billing") == 0


def test_a_port_is_served_and_a_taken_one_is_named(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.METRICS_PORT = taken.getsockname()[1]
    metrics.serve()

    with urllib.request.urlopen(f"http://127.0.0.1:{settings.METRICS_PORT}/metrics") as answer:
        assert b"shop_messages_total" in answer.read()
    with pytest.raises(metrics.MetricsFailed, match=f"port {settings.METRICS_PORT} .* set another METRICS_PORT"):
        metrics.serve()
