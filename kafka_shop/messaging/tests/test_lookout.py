"""The lookout: rows are found soon after their commit, and little is asked of an outbox to which no row was added."""

from dataclasses import dataclass

import pytest
from django.utils import timezone

from kafka_shop.databases import run
from kafka_shop.messaging import lookout
from kafka_shop.messaging.lookout import CALLED, CLOSELY_SECONDS, DRAWN, LONGEST_SECONDS, Lookout
from kafka_shop.messaging.relay import Courier
from kafka_shop.messaging.tests.carrying import Carrier, publish, turn
from kafka_shop.messaging.tests.stubs import said
from tests.sessions import second_session

pytestmark = pytest.mark.usefixtures("committed")

INSERT = """
INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)
VALUES ('order-topic', 'an event', 'a key', '{}', false, 0, '', now())
"""


@dataclass
class Clock:
    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lookout, "time", clock)
    return clock


@pytest.fixture
def watch(clock: Clock) -> Lookout:
    """A lookout that has looked at the rows a moment ago, and expects nothing."""
    watch = Lookout("default")
    for _ in range(2):
        clock.now += LONGEST_SECONDS
        watch.look([Courier("default", "order-topic", Carrier())], timezone.now())
    assert not watch.expectant
    return watch


def found(watch: Lookout, *couriers: Courier) -> list[str]:
    return [courier.destination for courier in watch.look(couriers, timezone.now())]


def test_the_courier_of_a_row_that_was_added_is_called_and_no_other(watch: Lookout, courier: Courier, carrier: Carrier) -> None:
    publish(said())

    assert found(watch, Courier("default", "billing-topic", carrier), courier) == ["order-topic"]
    assert not watch.expectant


def test_the_very_first_row_of_a_database_is_noticed(clock: Clock, courier: Courier) -> None:
    run("default", "ALTER SEQUENCE messaging_outboxrow_number_seq RESTART")
    watch = Lookout("default")
    assert found(watch, courier) == []
    clock.now += CLOSELY_SECONDS
    publish(said())

    assert found(watch, courier) == ["order-topic"]


def test_while_no_row_is_added_a_look_asks_for_one_number_only(watch: Lookout, courier: Courier, statements: list[str]) -> None:
    assert [found(watch, courier) for _ in range(3)] == [[]] * 3

    assert statements == [DRAWN] * 3


def test_a_row_that_is_not_committed_yet_is_looked_for_until_it_is_there(watch: Lookout, courier: Courier) -> None:
    with second_session() as other:
        other.execute(INSERT)
        assert found(watch, courier) == []
        assert watch.expectant
        other.commit()

    assert found(watch, courier) == ["order-topic"]


def test_one_whose_number_was_drawn_before_that_of_a_row_that_was_found_is_found_a_moment_later(
    watch: Lookout, clock: Clock, courier: Courier
) -> None:
    with second_session() as other:
        other.execute(INSERT)
        publish(said())
        assert found(watch, courier) == ["order-topic"]
        turn(courier)
        other.commit()
    assert found(watch, courier) == []
    clock.now += CLOSELY_SECONDS

    assert found(watch, courier) == ["order-topic"]


def test_one_that_is_committed_long_after_its_number_was_drawn_is_found_too(watch: Lookout, clock: Clock, courier: Courier) -> None:
    with second_session() as other:
        other.execute(INSERT)
        for pause in (0, CLOSELY_SECONDS, LONGEST_SECONDS):
            clock.now += pause
            assert found(watch, courier) == []
        other.commit()
    clock.now += LONGEST_SECONDS

    assert found(watch, courier) == ["order-topic"]


def test_what_nobody_added_is_looked_for_now_and_then_all_the_same(
    watch: Lookout, clock: Clock, courier: Courier, statements: list[str]
) -> None:
    clock.now += LONGEST_SECONDS
    found(watch, courier)

    assert statements == [DRAWN, CALLED]
