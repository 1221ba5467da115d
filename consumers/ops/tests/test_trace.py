"""ops/orders/{id}/trace/: the story of an order, and what it waits for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from django.db.models import Model
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from billing.models import Invoice
from consumers.models import DeadLetter
from consumers.ops.stored import OWN
from consumers.ops.tests.moving import PARTITION, apply, moved, placed, published
from consumers.ops.trace import Fact
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.ids import uuid7
from kafka_shop.messaging.models import OutboxRow
from notify.models import Letter
from notify.services import raise_horizon
from orders.models import Order

pytestmark = pytest.mark.django_db
WAY = ("billing", "orders", "notify")


@pytest.fixture
def staff() -> APIClient:
    return caller(user("eve", staff=True))


@pytest.fixture
def order() -> Order:
    return placed(user("carol"))


def trace(staff: APIClient, order: Order) -> dict[str, Any]:
    response = staff.get(f"/api/v1/ops/orders/{order.pk}/trace/")
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_a_finished_order_tells_where_each_of_its_events_was_read(staff: APIClient, order: Order) -> None:
    moved(*WAY)

    told = trace(staff, order)

    assert [(each["id"].split(":")[0], each["topic"], each["state"], each["partition"], each["offset"]) for each in told["events"]] == [
        ("order.placed", "order-topic", "applied", PARTITION, 0),
        ("invoice.settled", "billing-topic", "applied", PARTITION, 0),
        ("order.settled", "notify-topic", "applied", PARTITION, 0),
    ]
    assert [each["what"] for each in told["steps"]] == ["accepted", "published", "billed", "settled", "letter"]
    assert (told["status"], told["invoice"], told["waiting_for"], told["elsewhere"]) == ("paid", "paid", "", [])
    assert [each["kind"] for each in told["transfers"]] == ["charge"]
    assert [each["outcome"] for each in told["letters"]] == ["paid"]


def test_waiting_and_working_are_told_apart(staff: APIClient, order: Order) -> None:
    moved(*WAY)

    [accepted, published, billed, settled, letter] = trace(staff, order)["steps"]

    assert min(each["waiting_ms"] for each in (billed, settled, letter)) > 0
    assert min(each["working_ms"] for each in (billed, letter)) >= 0
    assert accepted["waiting_ms"] is None and settled["working_ms"] is None  # the order's row is older than its settlement
    assert published["at"] is None  # when it left is not stored


def test_a_cancelled_order_tells_of_its_money_and_its_letters(staff: APIClient, order: Order) -> None:
    moved(*WAY)
    assert staff.post(f"/api/v1/orders/{order.pk}/cancel/").status_code == 200
    waits = trace(staff, order)["waiting_for"]
    moved(*WAY)

    told = trace(staff, order)

    assert waits.startswith("the relay: ")
    assert (told["status"], told["invoice"], told["waiting_for"]) == ("cancelled", "refunded", "")
    assert [each["kind"] for each in told["transfers"]] == ["charge", "refund"]
    assert sorted(each["outcome"] for each in told["letters"]) == ["cancelled", "paid", "refunded"]
    assert {each["state"] for each in told["events"]} == {"applied"}


def test_a_declined_order_waits_for_nothing(staff: APIClient) -> None:
    order = placed(user("carol"), money="1.00")
    moved(*WAY)
    told = trace(staff, order)
    assert (told["status"], told["waiting_for"], told["transfers"]) == ("rejected", "", [])


def test_an_order_that_was_cancelled_before_it_was_declined_waits_for_nothing(staff: APIClient) -> None:
    order = placed(user("carol"), money="1.00")
    assert staff.post(f"/api/v1/orders/{order.pk}/cancel/").status_code == 200
    moved(*WAY)
    told = trace(staff, order)
    assert (told["status"], told["invoice"], told["waiting_for"]) == ("cancelled", "declined", "")
    assert {each["state"] for each in told["events"]} == {"applied"}


def test_working_is_what_lies_between_a_batch_and_its_row() -> None:
    begun = datetime(2026, 1, 31, 12, tzinfo=UTC)
    row = UUID(int=(int(begun.timestamp() * 1000) + 7) << 80)
    fact = Fact("order.placed", "order.placed:x", "order-topic", begun - timedelta(seconds=1), 1, 0, begun, row)
    assert (fact.waiting_ms, fact.working_ms) == (1000.0, 7.0)


# --- what it waits for: the cases of "A stuck order" ---


def test_an_order_whose_fact_has_not_left_waits_for_the_relay(staff: APIClient, order: Order) -> None:
    told = trace(staff, order)
    assert told["waiting_for"].startswith(f"the relay: order.placed:{order.pk} waits in the outbox since ")
    assert (told["events"][0]["state"], told["steps"][1]["what"]) == ("in the outbox", "in the outbox")


def test_an_order_whose_fact_was_refused_names_the_reason(staff: APIClient, order: Order) -> None:
    OutboxRow.objects.update(refused="MSG_SIZE_TOO_LARGE")
    told = trace(staff, order)
    assert "MSG_SIZE_TOO_LARGE" in told["waiting_for"] and told["events"][0]["state"] == "refused"


@pytest.mark.parametrize(("done", "event"), [(0, "order.placed"), (1, "invoice.settled"), (2, "order.settled")])
def test_an_order_between_two_services_waits_for_the_one_that_reads_next(staff: APIClient, order: Order, done: int, event: str) -> None:
    moved(*WAY[:done])
    OutboxRow.objects.all().delete()
    assert trace(staff, order)["waiting_for"].startswith(f"{WAY[done]}: it has not read {event}:{order.pk}")


def test_an_order_with_a_dead_letter_names_its_reason(staff: APIClient, order: Order) -> None:
    apply("billing", published("order-topic"), refusal="Conflict: another amount")
    letter = DeadLetter.objects.get()

    told = trace(staff, order)

    assert told["waiting_for"].startswith(f"a dead letter of billing ({letter.pk}): Conflict: another amount")
    assert (told["events"][0]["state"], told["dead_letters"][0]["state"]) == ("dead letter", "open")
    assert (told["events"][0]["partition"], told["events"][0]["offset"]) == (PARTITION, 0)  # where it was passed over


def test_an_open_invoice_waits_for_its_customer(staff: APIClient, order: Order, settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    moved("billing")
    assert "BILLING_MODE was on_request" in trace(staff, order)["waiting_for"]


@pytest.mark.parametrize("name", WAY)
def test_a_service_that_is_not_served_here_is_named_as_elsewhere(staff: APIClient, order: Order, settings: Settings, name: str) -> None:
    moved(*WAY)
    settings.SERVICES = [each for each in WAY if each != name]
    told = trace(staff, order)
    assert told["elsewhere"] == [name]
    assert told["waiting_for"] == f"perhaps {name}, which is served elsewhere: ask there"


@pytest.mark.parametrize("name", WAY)
def test_a_database_that_does_not_answer_is_named_and_the_rest_is_told(
    staff: APIClient, order: Order, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    moved(*WAY)
    monkeypatch.setitem(OWN, name, away)

    told = trace(staff, order)

    assert (told["away"], told["elsewhere"]) == ([name], [])
    assert told["waiting_for"] == f"perhaps {name}, whose database does not answer"


def test_an_order_that_only_an_absent_database_may_know_is_not_said_to_be_unknown(
    staff: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OWN, "orders", away)
    refused(staff.get(f"/api/v1/ops/orders/{uuid7()}/trace/"), 503)


def away(order_id: UUID) -> dict[str, Any]:
    raise OperationalError("away")


def test_a_letter_that_was_deleted_for_its_age_is_not_waited_for(staff: APIClient, order: Order) -> None:
    moved(*WAY)
    Letter.objects.all().delete()
    assert trace(staff, order)["waiting_for"].startswith("notify: ")

    raise_horizon(to=timezone.now())

    told = trace(staff, order)
    assert (told["waiting_for"], told["letters"]) == ("", [])


# --- who, and what is not there ---


def test_an_order_that_nobody_knows_is_404(staff: APIClient) -> None:
    refused(staff.get(f"/api/v1/ops/orders/{uuid7()}/trace/"), 404)
    refused(staff.get("/api/v1/ops/orders/x/trace/"), 404)


def test_a_trace_is_for_staff_only(order: Order) -> None:
    path = f"/api/v1/ops/orders/{order.pk}/trace/"
    refused(caller().get(path), 401)
    refused(caller(user("dave")).get(path), 403)


def test_looking_changes_nothing(staff: APIClient, order: Order) -> None:
    moved("billing")
    kinds: tuple[type[Model], ...] = (Order, Invoice, OutboxRow, DeadLetter)
    before = [list(kind._default_manager.values()) for kind in kinds]
    trace(staff, order)
    assert [list(kind._default_manager.values()) for kind in kinds] == before
