"""The log lines of a request."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from kafka_shop.api.request_logs import tell_order
from kafka_shop.api.tests.people import caller, user
from kafka_shop.ids import uuid7
from orders.services import seed_catalogue

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
Lines = Callable[[], dict[str, dict[str, Any]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """What was logged since the last look, by the event."""
    caplog.set_level(logging.INFO)

    def read() -> dict[str, dict[str, Any]]:
        entries = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        caplog.clear()
        return {str(entry["event"]): entry for entry in entries}

    return read


@pytest.mark.django_db
def test_they_have_the_request_the_trace_and_the_order(lines: Lines) -> None:
    order, client = uuid7(), caller(user("carol"))

    client.get(f"/api/v1/orders/{order}/", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})

    told = lines()
    assert told["request_started"]["trace_id"] == told["request_finished"]["trace_id"] == TRACE
    assert told["request_started"]["request_id"] == told["request_finished"]["request_id"] != ""
    assert told["request_finished"]["order_id"] == str(order)


@pytest.mark.django_db
def test_the_one_line_of_a_short_way_has_what_the_two_of_others_have(lines: Lines) -> None:
    seed_catalogue()
    body = {"items": [{"product": "TEA-001", "quantity": 1}]}

    answer = caller(user("carol")).post("/api/v1/orders/", body, headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})

    [(event, line)] = lines().items()
    assert (event, line["code"], line["request"]) == ("request_finished", 201, "POST /api/v1/orders/")
    assert (line["trace_id"], line["order_id"]) == (TRACE, answer.json()["id"])
    assert line["request_id"]


@pytest.mark.django_db
def test_the_trace_of_one_request_is_not_that_of_the_next(lines: Lines) -> None:
    client = caller(user("carol"))
    client.get("/api/v1/orders/", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    first = lines()

    client.get("/api/v1/orders/", headers={"traceparent": "Alice-Secret-7"})

    assert "trace_id" in first["request_finished"]
    assert not {"trace_id", "order_id"} & set(lines()["request_finished"])


@pytest.mark.django_db
def test_they_do_not_have_the_address_of_who_asks(lines: Lines) -> None:
    caller().get("/api/v1/", REMOTE_ADDR="198.51.100.7")

    assert "198.51.100.7" not in str(lines())


def test_an_order_that_was_just_made_is_told() -> None:
    request, order, told = HttpRequest(), str(uuid7()), dict[str, str]()
    request.path = "/api/v1/orders/"

    tell_order(request=request, response=HttpResponse(headers={"Location": f"http://shop.example/api/v1/orders/{order}/"}), log_kwargs=told)

    assert told == {"order_id": order}
