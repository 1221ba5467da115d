"""A log that was lost is noticed, and its facts are put back, step by step, from their beginning."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from consumers import republication
from consumers.republication import LOOK_BACK, note_log, republish_since, step
from consumers.routes import REPUBLISH
from consumers.tests.stubs import NOW
from kafka_shop.databases import run
from kafka_shop.messaging.models import PublishedLog

pytestmark = pytest.mark.usefixtures("db")

LATER = NOW + timedelta(hours=1)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Facts:
    """A service's stored facts: five pages of them."""

    pages: int = 5
    calls: list[tuple[datetime, int]] = field(default_factory=list)

    def republish(self, *, since: datetime, cursor: list[int] | None, limit: int, now: datetime) -> list[int] | None:
        assert connection.in_atomic_block and limit == republication.STEP_FACTS
        page = cursor[0] if cursor else 0
        self.calls.append((since, page))
        return [page + 1] if page + 1 < self.pages else None

    @property
    def read(self) -> list[int]:
        return [page for _, page in self.calls]


@pytest.fixture(autouse=True)
def orders(monkeypatch: pytest.MonkeyPatch) -> Facts:
    facts = Facts()
    monkeypatch.setitem(REPUBLISH, "orders", facts.republish)
    return facts


@pytest.fixture(autouse=True)
def billing(monkeypatch: pytest.MonkeyPatch) -> Facts:
    facts = Facts()
    monkeypatch.setitem(REPUBLISH, "billing", facts.republish)
    return facts


def lose(destination: str, now: datetime = LATER, identity: str = "cluster/new") -> None:
    note_log(destination, "cluster/old", NOW)
    assert note_log(destination, identity, now) == 1


def steps() -> int:
    """Goes on until nothing is due."""
    count = 0
    while step(LATER):
        count += 1
        assert count < 50
    return count


def stored(destination: str = "order-topic") -> Any:
    return PublishedLog.objects.values_list("identity", "seen_at", "republish_since", "cursor").get(destination=destination)


def test_the_first_look_at_a_log_notes_it_and_nothing_is_due(orders: Facts) -> None:
    assert note_log("order-topic", "cluster/topic", NOW) == 0

    assert stored() == ("cluster/topic", NOW, None, None)
    assert steps() == 0 and orders.calls == []


def test_the_same_log_is_only_seen_again() -> None:
    note_log("order-topic", "cluster/topic", NOW)

    assert note_log("order-topic", "cluster/topic", LATER) == 0
    assert stored() == ("cluster/topic", LATER, None, None)


def test_an_identity_that_is_not_sure_changes_nothing() -> None:
    note_log("order-topic", "cluster/topic", NOW)

    assert note_log("order-topic", "", LATER) == 0
    assert stored() == ("cluster/topic", NOW, None, None)


def test_another_log_makes_the_facts_due_since_a_week_before_the_old_one_was_last_seen() -> None:
    lose("order-topic")

    assert stored() == ("cluster/new", LATER, NOW - LOOK_BACK, None)


def test_all_facts_are_put_back_once_a_page_a_step(orders: Facts, billing: Facts) -> None:
    lose("order-topic")

    assert steps() == 5
    assert orders.calls == [(NOW - LOOK_BACK, page) for page in range(5)]
    assert stored() == ("cluster/new", LATER, None, None)
    assert billing.calls == []


def test_two_lost_logs_of_a_service_are_one_republication(orders: Facts) -> None:
    lose("order-topic")
    lose("notify-topic")

    assert steps() == 5
    assert orders.read == [0, 1, 2, 3, 4]


def test_services_go_on_side_by_side(orders: Facts, billing: Facts) -> None:
    lose("order-topic")
    lose("billing-topic")

    assert step(LATER) == 2
    steps()
    assert orders.read == billing.read == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("second", ["order-topic", "notify-topic"])
def test_a_log_that_is_lost_in_the_middle_of_a_republication_gets_everything_from_the_beginning(orders: Facts, second: str) -> None:
    lose("order-topic")
    for _ in range(3):
        step(LATER)
    if second == "order-topic":
        note_log(second, "cluster/newer", LATER)
    else:
        lose(second)
    steps()

    assert orders.read == [0, 1, 2, 0, 1, 2, 3, 4]
    assert stored(second)[2:] == (None, None)


def test_the_oldest_time_of_several_is_republished_from(orders: Facts) -> None:
    lose("order-topic")
    note_log("notify-topic", "cluster/old", LONG_AGO)
    note_log("notify-topic", "cluster/new", LATER)
    step(LATER)

    assert orders.calls == [(LONG_AGO - LOOK_BACK, 0)]


def test_while_too_much_that_was_put_back_still_waits_no_step_is_made(orders: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(republication, "MOST_WAITING", 2)
    lose("order-topic")
    put = (
        "INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)"
        " SELECT 'order-topic', n::text, 'k', '{}', true, 0, '', now() FROM generate_series(%s::int, %s::int) AS n"
    )
    run("default", put, 1, 2)
    assert step(LATER) == 1

    run("default", put, 3, 3)
    assert step(LATER) == 0
    assert orders.read == [0]


def test_what_this_process_does_not_serve_is_left_to_others(orders: Facts, settings: Any) -> None:
    lose("order-topic")
    settings.SERVICES = ["billing", "notify"]

    assert steps() == 0 and orders.calls == []


def test_by_hand_everything_since_a_time_is_put_back_at_once(orders: Facts) -> None:
    republish_since("orders", LONG_AGO, NOW)

    assert orders.calls == [(LONG_AGO, page) for page in range(5)]


def test_by_hand_a_service_with_few_facts_is_asked_once(orders: Facts) -> None:
    orders.pages = 1
    republish_since("orders", LONG_AGO, NOW)

    assert orders.read == [0]
