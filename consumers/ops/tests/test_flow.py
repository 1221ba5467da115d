"""ops/flow/: the whole flow at a glance."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from consumers.models import Position
from consumers.ops import api, brokers, figures, flow
from consumers.ops.minutes import LETTERS, Minutes, read
from consumers.ops.tests.moving import PARTITION, apply, moved, placed, published
from consumers.pausing import pause
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.databases import rows, run
from kafka_shop.messaging.kafka import BrokerAway, Watermarks

pytestmark = pytest.mark.django_db
FLOW = "/api/v1/ops/flow/"


class Broker:
    """Every topic has one partition, with three messages; `away` and `silent` say otherwise."""

    def __init__(self) -> None:
        self.away, self.asked, self.goes_on = False, 0, Event()
        self.goes_on.set()

    def __call__(self) -> Any:
        return self

    def partitions(self, topic: str) -> list[int]:
        self.asked += 1
        self.goes_on.wait(30)
        if self.away:
            raise BrokerAway("nobody there")
        return [PARTITION]

    def watermarks(self, topic: str, partition: int) -> Watermarks:
        return Watermarks(0, 3)

    def close(self) -> None:
        pass


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    broker = Broker()
    logs = brokers.Logs(broker)
    monkeypatch.setattr(api, "flow", flow.Kept(lambda: flow.gather(logs, Minutes(), timezone.now())))
    yield broker
    broker.goes_on.set()


@pytest.fixture
def staff(broker: Broker) -> APIClient:
    return caller(user("eve", staff=True))


def seen(staff: APIClient) -> dict[str, Any]:
    response = staff.get(FLOW)
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_each_edge_tells_its_rate_its_lag_and_the_time_to_drain(staff: APIClient) -> None:
    placed(user("carol"))
    moved("billing", "orders", "notify")

    found = seen(staff)

    assert [(each["from"], each["to"]) for each in found["edges"]] == [("orders", "billing"), ("billing", "orders"), ("orders", "notify")]
    for each in found["edges"]:
        assert (each["rate_1m"], each["rate_15m"]) == (0.017, 0.001)
        assert (each["lag"], each["drain_seconds"]) == (2, round(2 / 0.017, 1))  # one of three is read
    assert (found["databases"], found["broker"], found["elsewhere"]) == ({"default": "ok"}, "ok", [])


def test_from_place_to_letter_and_the_newest_events(staff: APIClient) -> None:
    order = placed(user("carol"))
    moved("billing", "orders", "notify")

    found = seen(staff)

    assert found["place_to_letter"]["letters"] == 1
    assert [each["letters"] for each in found["minutes"][:-2]] == [0] * 13  # the test may run over a minute's end
    assert sum(each["letters"] for each in found["minutes"]) == 1
    assert {each["p95_ms"] for each in found["minutes"]} == {None, found["place_to_letter"]["p95_ms"]}
    assert 0 < found["place_to_letter"]["p50_ms"] == found["place_to_letter"]["p95_ms"]
    assert [each["what"] for each in found["newest"]] == ["letter.paid", "invoice.settled", "order.placed"]
    assert {each["order_id"] for each in found["newest"]} == {str(order.pk)}


def test_what_waits_in_the_outbox_and_what_is_dead_is_counted(staff: APIClient) -> None:
    placed(user("carol"))
    apply("billing", published("order-topic"), refusal="Conflict: another amount")
    placed(user("dave"))

    found = seen(staff)

    assert [(each["topic"], each["waiting"], each["refused"]) for each in found["outbox"]] == [
        ("order-topic", 1, 0),
        ("billing-topic", 0, 0),
        ("notify-topic", 0, 0),
    ]
    assert [(each["consumer"], each["count"], each["reason"]) for each in found["dead_letters"]] == [
        ("billing", 1, "Conflict: another amount")
    ]


def test_a_minute_that_is_over_is_read_once(staff: APIClient, statements: list[str]) -> None:
    minutes, now = Minutes(), timezone.now().replace(second=31)
    minutes("default", now)
    statements.clear()
    for later in (0, 60):
        assert [each.at.second for each in minutes("default", now + timedelta(seconds=later))] == [0] * 15
    assert [len(read("default", [])), len(statements)] == [0, 3]
    assert len(minutes._over) == 14


def test_a_paused_consumer_says_since_when_and_by_whom(staff: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "KEPT_SECONDS", 0)
    assert (seen(staff)["edges"][0]["paused"], seen(staff)["edges"][0]["paused_by"]) == (False, "")
    now = timezone.now()
    pause(name="billing", by="eve", now=now)
    billing, orders, _ = seen(staff)["edges"]
    assert (billing["paused"], billing["paused_by"], orders["paused"]) == (True, "eve", False)
    assert datetime.fromisoformat(billing["paused_since"]) == now


def test_over_http_the_lag_is_what_waits_in_the_senders_outbox(staff: APIClient, settings: Settings) -> None:
    settings.TRANSPORT = "http"
    placed(user("carol"))
    assert [each["lag"] for each in seen(staff)["edges"]] == [1, 0, 0]


@pytest.mark.parametrize(
    ("owned", "beat_ago", "state"),
    [(True, timedelta(seconds=3), "ok"), (True, timedelta(minutes=1), "silent"), (False, timedelta(), "nobody")],
)
def test_a_consumers_last_beat_tells_how_it_is(staff: APIClient, owned: bool, beat_ago: timedelta, state: str) -> None:
    placed(user("carol"))
    moved("billing")
    Position.objects.update(beat_at=timezone.now() - beat_ago, **({} if owned else {"owner": None}))
    [partition] = seen(staff)["edges"][0]["partitions"]
    assert (partition["partition"], partition["state"], partition["lag"]) == (PARTITION, state, 2)


def test_a_broker_that_refuses_gives_nulls(staff: APIClient, broker: Broker) -> None:
    broker.away = True
    found = seen(staff)
    assert found["broker"] == "away"
    assert [(each["lag"], each["drain_seconds"]) for each in found["edges"]] == [(None, None)] * 3


def test_a_broker_that_does_not_answer_holds_up_nobody(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "ANSWER_SECONDS", 0.01)
    broker.goes_on.clear()
    logs = brokers.Logs(broker)
    assert [logs.ends() for _ in range(3)] == [None] * 3
    assert broker.asked == 1  # one question at a time
    broker.goes_on.set()
    monkeypatch.setattr(brokers, "ANSWER_SECONDS", 30)
    deadline = time.monotonic() + 30
    while logs.ends() is None:
        assert time.monotonic() < deadline, "it never asks again"


def test_a_database_that_is_away_gives_nulls(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def away(alias: str, *_: Any) -> Any:
        asked.append(alias)
        raise OperationalError("away")

    for module in (figures, flow):
        monkeypatch.setattr(module, "rows", away)
    found = flow.gather(brokers.Logs(broker), Minutes(), timezone.now())
    assert found["databases"] == {"default": "away"}
    assert [each["rate_1m"] for each in found["edges"]] == [None] * 3
    assert [each["waiting"] for each in found["outbox"]] == [None] * 3
    assert asked == ["default"]  # each question may wait 5 s for a connection


def test_ten_consoles_cost_as_much_as_one(staff: APIClient, broker: Broker, statements: list[str]) -> None:
    seen(staff)
    before = len([each for each in statements if "billing_invoice" in each])
    for _ in range(10):
        seen(staff)
    assert len([each for each in statements if "billing_invoice" in each]) == before > 0
    assert broker.asked == 3  # topics, once


def test_no_question_reads_more_than_it_is_allowed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST", 1)
    now = timezone.now()
    for name in ("carol", "dave"):
        placed(user(name))
    assert figures.outbox("default", "order-topic", now)["waiting"] == 1
    moved("billing")
    assert figures.worked_since("default", "billing", now - figures.MINUTE)[0] == 1
    assert figures.rate(1, now - timedelta(seconds=2), now, figures.MINUTE) == 0.5  # over what the rows span


def test_a_service_that_is_not_served_here_is_named_as_elsewhere(staff: APIClient, settings: Settings) -> None:
    settings.SERVICES = ["billing"]
    found = seen(staff)
    assert found["elsewhere"] == ["orders", "notify"]
    assert [each["to"] for each in found["edges"]] == ["billing"]
    assert found["place_to_letter"] is None


def test_the_flow_is_for_staff_only(db: None) -> None:
    refused(caller().get(FLOW), 401)
    refused(caller(user("dave")).get(FLOW), 403)


QUESTIONS = [
    *((sql, 2) for sql in (*figures.WORK.values(), figures.LETTERS)),
    (figures.WAITING, 4),
    (LETTERS, 4),
    (figures.REFUSED, 2),
    (figures.DEAD, 3),
    *((sql, 1) for sql in figures.EVENTS.values()),
]


@pytest.mark.parametrize(("sql", "parameters"), QUESTIONS)
def test_every_question_goes_along_an_index(sql: str, parameters: int) -> None:
    now = timezone.now()
    kinds = {
        "unnest": [[figures.first_id_of(now)], [figures.first_id_of(now)], 1, 1],
        "id >= %s": [figures.first_id_of(now), 1],
        ">= %s": [now, 1],
        "ANY(%s)": [["billing"], 1, 1],
        "AND refused <> ''": ["a", 1],
        "destination": ["a", "b", "c", 1],
    }
    given = next((values for mark, values in kinds.items() if mark in sql and len(values) == parameters), [1])
    run("default", "SET LOCAL enable_seqscan = off")
    plan = "\n".join(line for (line,) in rows("default", f"EXPLAIN {sql}", *given))
    assert "Seq Scan" not in plan and "Index" in plan, plan
