"""After a lost log every fact is made again from what is stored."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from kafka_shop.databases import rows
from kafka_shop.messaging.events import Event
from orders import services, store
from orders.handlers import invoice_refunded, invoice_settled
from orders.models import Order
from orders.tests.helpers import MINUTE, NOW, empty_outbox, many, outbox, place, refunded, settled

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def published() -> list[Event]:
    """All facts of an order of every kind, in a year's first minutes."""
    facts: list[Event] = []
    pending, paid, rejected, refused, late, surprise = (place(now=NOW + second * timedelta(seconds=1)) for second in range(6))
    facts += invoice_settled.handle([settled(paid), settled(rejected, "declined"), settled(refused)])
    services.cancel_order(order_id=refused.id, now=NOW + 2 * MINUTE)
    services.cancel_order(order_id=late.id, now=NOW + 2 * MINUTE)
    facts += invoice_settled.handle([settled(late, at=NOW + 3 * MINUTE)])
    facts += invoice_refunded.handle([refunded(refused), refunded(surprise)])
    facts += outbox()
    empty_outbox()
    assert pending.status == "pending"
    return facts


def republish(since: datetime, limit: int) -> list[Event]:
    """All that comes back, step by step; the cursor goes through JSON as the relay stores it."""
    found: list[Event] = []
    cursor: list[Any] | None = None
    while True:
        cursor = services.republish(since=since, cursor=json.loads(json.dumps(cursor)), limit=limit, now=NOW + timedelta(days=1))
        step = outbox()
        assert len(step) <= max(limit, services.MOST_FACTS)
        found += step
        empty_outbox()
        if cursor is None:
            return found


def in_order(facts: list[Event]) -> list[Event]:
    return sorted(facts, key=lambda fact: fact.id)


@pytest.mark.parametrize("limit", [1, 5, 10, 15, 1000])
def test_every_fact_comes_back_once_and_the_same(published: list[Event], limit: int) -> None:
    assert in_order(republish(NOW, limit)) == in_order(published)


def test_facts_before_the_time_stay_away(published: list[Event]) -> None:
    since = NOW + 2 * MINUTE
    assert in_order(republish(since, 10)) == in_order([fact for fact in published if fact.time >= since])


def test_nothing_comes_back_from_a_time_without_facts(published: list[Event]) -> None:
    assert republish(NOW + timedelta(days=1), 10) == []


def test_republishing_changes_no_order(published: list[Event]) -> None:
    before = list(Order.objects.order_by("id").values())
    republish(NOW, 10)
    assert list(Order.objects.order_by("id").values()) == before


def test_rows_that_come_back_wait_for_new_ones(published: list[Event]) -> None:
    services.republish(since=NOW, cursor=None, limit=10, now=NOW)
    assert set(rows("default", "SELECT resent FROM messaging_outboxrow")) == {(True,)}


@pytest.mark.parametrize("count", [10, 500])
def test_a_step_takes_a_constant_number_of_statements(statements: list[str], count: int) -> None:
    many(count)
    del statements[:]
    services.republish(since=NOW, cursor=None, limit=count * services.MOST_FACTS, now=NOW)
    assert len(outbox()) == count
    assert len([statement for statement in statements if "SAVEPOINT" not in statement]) == 5  # the last is the outbox's


def test_a_step_finds_its_orders_by_the_index_of_their_last_facts() -> None:
    first, *_ = many(1000)
    plan = rows("default", "EXPLAIN " + store.CHANGED, NOW, first.id, 10)
    assert "order_by_last_fact" in "\n".join(line for (line,) in plan)
