"""How a courier looks for rows: cheaply when there are none, above a hint for speed, from the beginning for correctness."""

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from kafka_shop import databases
from kafka_shop.databases import run
from kafka_shop.messaging import relay
from kafka_shop.messaging.kafka import Refusal
from kafka_shop.messaging.relay import Courier, Row

pytestmark = pytest.mark.django_db
INSERT = """
INSERT INTO messaging_outboxrow (number, destination, event_id, key, event, resent, attempts, refused, not_before, created_at)
VALUES (%s, 'order-topic', %s, 'k', '{}', %s, 0, %s, %s, now())
"""


def put(number: int, *, resent: bool = False, refused: str = "", postponed: bool = False) -> None:
    not_before = timezone.now() + timedelta(hours=1) if postponed else None
    run("default", INSERT, number, str(number), resent, refused, not_before)


@pytest.fixture
def carried() -> list[int]:
    return []


@pytest.fixture
def courier(carried: list[int]) -> Courier:
    def carry(pending: Sequence[Row]) -> tuple[list[int], dict[int, Refusal]]:
        carried.extend(number for number, _, _ in pending)
        return [number for number, _, _ in pending], {}

    return Courier("default", "order-topic", carry)


def turn(courier: Courier) -> int:
    return courier.turn(timezone.now())


def test_a_look_that_finds_nothing_is_one_statement_and_no_transaction(courier: Courier, statements: list[str]) -> None:
    assert turn(courier) == 0
    assert statements == [relay.WAITS]


def test_rows_that_cannot_go_now_do_not_open_a_transaction(courier: Courier, statements: list[str]) -> None:
    put(1, refused="too large")
    put(2, postponed=True)
    put(3, resent=True, postponed=True)
    statements.clear()

    assert turn(courier) == 0
    assert statements == [relay.WAITS]


def test_rows_that_were_put_back_go_after_new_ones(courier: Courier, carried: list[int]) -> None:
    put(1, resent=True)
    put(2)

    assert turn(courier) == 2
    assert carried == [2, 1]


def test_a_row_that_was_put_back_goes_although_nothing_is_new(courier: Courier, carried: list[int]) -> None:
    put(1, resent=True)

    assert turn(courier) == 1
    assert carried == [1]


def test_a_row_far_below_the_hint_that_is_committed_late_is_found_by_the_next_look_from_the_beginning(
    courier: Courier, carried: list[int]
) -> None:
    put(10 * relay.MARGIN)
    turn(courier)
    put(1)

    assert turn(courier) == 0
    courier._full_scan_at = 0
    assert turn(courier) == 1
    assert carried == [10 * relay.MARGIN, 1]


def test_a_look_from_the_beginning_that_finds_nothing_leaves_the_hint(courier: Courier) -> None:
    put(10 * relay.MARGIN)
    turn(courier)
    courier._full_scan_at = 0
    turn(courier)

    assert courier.hint == 9 * relay.MARGIN


@pytest.mark.parametrize(("seconds", "later"), [(0.0, 0.9), (0.5, 9.0)])
def test_the_longer_a_look_from_the_beginning_takes_the_rarer_it_is(
    seconds: float, later: float, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(relay, "time", clock)

    def rows(*asked: Any) -> Any:
        clock.now += seconds / 3  # a turn asks three times
        return databases.rows(*asked)

    monkeypatch.setattr(relay, "rows", rows)
    put(10 * relay.MARGIN)
    turn(courier)
    put(1)

    clock.now += later
    assert turn(courier) == 0
    clock.now += later / 5
    assert turn(courier) == 1


def test_who_was_called_does_not_ask_first_whether_there_are_rows(courier: Courier, carried: list[int], statements: list[str]) -> None:
    put(1)

    assert courier.turn(timezone.now(), called=True) == 1
    assert carried == [1]
    assert relay.WAITS not in statements


def test_who_was_called_for_rows_that_somebody_else_has_taken_publishes_nothing(courier: Courier, carried: list[int]) -> None:
    assert courier.turn(timezone.now(), called=True) == 0
    assert carried == []
