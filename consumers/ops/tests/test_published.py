"""When an order's facts were published: read from the log, and not guessed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from pytest_django import Settings

from consumers.ops import brokers
from consumers.ops.brokers import Logs
from consumers.ops.published import published
from consumers.ops.trace import Fact
from kafka_shop.messaging.kafka import BrokerAway, Record

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = AT + timedelta(milliseconds=9)
READ = Fact("order.placed", "order.placed:x", "order-topic", AT, 1, 4711)


class Broker:
    """One record lies there."""

    def __init__(self, id: str = READ.event_id, time: datetime = LATER) -> None:
        self.record = Record("order-topic", 1, 4711, stamp(time), b"", [("ce_id", id.encode())], b"")
        self.away, self.goes_on = False, Event()
        self.goes_on.set()

    def __call__(self) -> Any:
        return self

    def record_at(self, *place: object) -> Record | None:
        self.goes_on.wait(30)
        if self.away:
            raise BrokerAway("nobody there")
        return self.record if place == (self.record.topic, self.record.partition, self.record.offset) else None

    def close(self) -> None:
        pass


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    yield broker
    broker.goes_on.set()


def stamp(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def time_of(fact: Fact, broker: Broker) -> datetime | None:
    [found] = published([fact], Logs(broker))
    assert found._replace(published_at=None) == fact
    return found.published_at


def test_the_log_tells_it(broker: Broker) -> None:
    assert time_of(READ, broker) == LATER


def test_it_is_never_before_the_fact_which_is_told_more_exactly() -> None:
    assert time_of(READ, Broker(time=AT - timedelta(milliseconds=1))) == AT


@pytest.mark.parametrize("fact", [READ._replace(offset=4712), READ._replace(offset=None), READ._replace(partition=None)])
def test_what_is_not_there_any_more_or_was_never_read_is_not_told(broker: Broker, fact: Fact) -> None:
    assert time_of(fact, broker) is None


@pytest.mark.parametrize(
    ("fact", "told"), [(READ._replace(applied_at=AT), AT), (READ._replace(applied_at=AT - timedelta(seconds=2)), None)]
)
def test_it_is_never_after_the_reading_unless_that_was_of_another_log(broker: Broker, fact: Fact, told: datetime | None) -> None:
    assert time_of(fact._replace(at=None), broker) == told
    assert time_of(fact._replace(at=None, applied_at=None, passed_at=fact.applied_at), broker) == told  # a dead letter's


@pytest.mark.parametrize("other", [Broker(id="order.placed:y"), Broker(time=datetime(1970, 1, 1, tzinfo=UTC))])
def test_another_logs_record_tells_nothing_and_neither_does_one_without_a_time(other: Broker) -> None:
    assert time_of(READ, other) is None


def test_a_broker_that_is_away_or_silent_tells_nothing(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    broker.away = True
    assert time_of(READ, broker) is None
    broker.goes_on.clear()
    monkeypatch.setattr(brokers, "ANSWER_SECONDS", 0.01)
    assert time_of(READ, broker) is None


def test_over_http_nobody_is_asked(broker: Broker, settings: Settings) -> None:
    settings.TRANSPORT = "http"
    assert time_of(READ, broker) is None
