"""Events over HTTP: the same engine behind `POST {service}/events/`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from knox.models import AuthToken
from pytest_django import Settings

import billing.services
from billing.models import Account, Invoice
from consumers import receiving
from consumers.models import DeadLetter
from consumers.reading import Item
from consumers.routes import ROUTES, Route
from consumers.tests.test_failures import database_error
from kafka_shop.ids import uuid7
from kafka_shop.messaging.envelope import seal, to_json
from kafka_shop.messaging.events import Event
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from orders.events import OrderCancelled, OrderPlaced

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
BATCH, ONE = "application/cloudevents-batch+json", "application/cloudevents+json"
TOKEN = "between-services"  # not a secret of anybody

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def service_token(settings: Settings) -> None:
    settings.SERVICE_TOKEN = TOKEN
    settings.RETRY_BACKOFF_MS = (1, 2)


@pytest.fixture
def alice() -> UUID:
    """A customer with 100.00."""
    customer = uuid7()
    account = billing.services.open_account(customer_id=customer, currency="EUR", now=NOW)
    billing.services.deposit(account_id=account.id, amount=Decimal("100.00"), now=NOW)
    return customer


def placed(customer: UUID, amount: str = "10.00") -> OrderPlaced:
    return OrderPlaced(order_id=uuid7(), customer_id=customer, amount=Decimal(amount), currency="EUR", items=(), placed_at=NOW)


def body(*events: Event | bytes) -> bytes:
    return b"[" + b",".join(event if isinstance(event, bytes) else to_json(seal(event)) for event in events) + b"]"


def post(content: bytes, *, content_type: str = BATCH, token: str = TOKEN) -> HttpResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer: HttpResponse = Client().post("/api/v1/billing/events/", content, content_type=content_type, headers=headers)  # type: ignore[assignment]  # the stub names the class of test answers
    return answer


def test_events_are_applied_and_their_facts_wait_in_the_outbox(alice: UUID) -> None:
    first, second = placed(alice), placed(alice, "95.00")
    assert post(body(first, second)).status_code == 204
    assert dict(Invoice.objects.values_list("order_id", "status")) == {first.order_id: "paid", second.order_id: "declined"}
    assert set(OutboxRow.objects.values_list("event_id", flat=True)) == {
        f"invoice.settled:{first.order_id}",
        f"invoice.settled:{second.order_id}",
    }
    assert Invoice.objects.filter(partition=None, offset=None).count() == 2  # they lay in no log


def test_the_same_request_again_changes_nothing(alice: UUID) -> None:
    content = body(placed(alice))
    assert [post(content).status_code for _ in range(3)] == [204] * 3
    assert Account.objects.get(customer_id=alice).balance == Decimal("90.00")
    assert Invoice.objects.count() == 1


def test_one_event_by_itself(alice: UUID) -> None:
    assert post(to_json(seal(placed(alice))), content_type=ONE).status_code == 204
    assert Invoice.objects.get().status == "paid"


def test_an_empty_request_is_answered_so_that_a_sender_sees_the_service_is_well() -> None:
    assert post(b"[]").status_code == 204


def test_a_poison_event_becomes_a_dead_letter_and_the_rest_is_applied(alice: UUID) -> None:
    events = [placed(alice, "1.00") for _ in range(9)]
    assert post(body(*events[:4], placed(alice, "-1.00"), *events[4:])).status_code == 204
    assert Invoice.objects.filter(status="paid").count() == 9
    [letter] = DeadLetter.objects.all()
    assert (letter.consumer, letter.event_type, letter.attempts) == ("billing", "shop.order.placed.v1", 3)


def test_an_unreadable_event_becomes_one_dead_letter_however_often_it_comes(alice: UUID) -> None:
    content = body(b'{"specversion":"1.0"}', placed(alice))
    assert [post(content).status_code for _ in range(2)] == [204, 204]
    [letter] = DeadLetter.objects.all()
    assert letter.identity.startswith("sha256:")
    assert bytes(letter.value or b"") == b'{"specversion":"1.0"}'
    assert Invoice.objects.get().status == "paid"


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"[", BATCH, 400),
        (b"{}", BATCH, 400),
        (b"\xff", BATCH, 400),
        (b"[]", ONE, 400),
        (b"[" * 100_000, BATCH, 400),
        (b"[]", "application/json", 415),
        (b"[" + b",".join([b"{}"] * 1001) + b"]", BATCH, 413),
        (b"[" + b" " * 5 * 1024 * 1024 + b"]", BATCH, 413),
    ],
)
def test_a_bad_body_is_refused_and_nothing_of_it_is_kept(content: bytes, content_type: str, status: int) -> None:
    answer = post(content, content_type=content_type)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize("token", ["", "wrong", "между", TOKEN[:-1], f"{TOKEN}s"])
def test_nobody_gets_in_without_the_token(token: str, alice: UUID) -> None:
    answer = post(body(placed(alice)), token=token.encode().decode("latin-1"))
    assert (answer.status_code, answer.get("WWW-Authenticate")) == (401, "Bearer")
    assert not Invoice.objects.exists()


def test_without_a_token_in_the_settings_nobody_gets_in(settings: Settings) -> None:
    settings.SERVICE_TOKEN = ""
    assert post(b"[]", token="").status_code == 401
    assert post(b"[]", token=" ").status_code == 401


def test_users_are_no_services() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("admin", password="admin"))
    answer = client.post("/api/v1/billing/events/", b"[]", content_type=BATCH)
    assert answer.status_code == 403


@pytest.mark.parametrize("service", ["orders", "billing", "notify"])
@pytest.mark.parametrize("staff", [False, True])
def test_the_tokens_of_users_are_not_for_services(service: str, staff: bool) -> None:
    _, token = AuthToken.objects.create(user=User.objects.create_user("carol", is_staff=staff))
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().post(f"/api/v1/{service}/events/", b"[]", content_type=BATCH, headers=headers).status_code == 403


@pytest.mark.parametrize(("header", "status"), [(TOKEN, 401), (f"Basic {TOKEN}", 401), (f"Bearer  {TOKEN}", 401), (f"bearer {TOKEN}", 204)])
def test_the_token_comes_as_a_bearers(header: str, status: int) -> None:
    answer = Client().post("/api/v1/billing/events/", b"[]", content_type=BATCH, headers={"Authorization": header})
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["orders/", "billing/accounts/", "notify/notifications/"])
def test_the_token_of_services_is_not_for_what_users_do(path: str) -> None:
    assert Client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401


@pytest.mark.parametrize("error", [OperationalError("lost"), *map(database_error, ["40P01", "57014", "42P01"])], ids=str)
def test_what_is_no_fault_of_the_event_asks_for_the_whole_request_again(
    alice: UUID, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(events: object) -> list[Event]:
        raise error

    route = ROUTES["billing"]
    monkeypatch.setitem(ROUTES, "billing", Route(route.group, route.topic, {OrderPlaced: fail}))
    answer = post(body(placed(alice)))
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert not Invoice.objects.exists()
    assert not DeadLetter.objects.exists()


def test_failures_that_only_time_can_help_make_no_later_event_run_alone(alice: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def away(events: Sequence[object]) -> list[Event]:
        calls.append(len(events))
        if len(calls) < 5:
            raise OperationalError("the connection is lost")
        return []

    route = ROUTES["billing"]
    monkeypatch.setitem(ROUTES, "billing", Route(route.group, route.topic, {OrderPlaced: away}))
    content = body(placed(alice), placed(alice))
    assert [post(content).status_code for _ in range(5)] == [503] * 4 + [204]
    assert calls == [2] * 5


def test_of_two_requests_at_once_the_second_ends_the_first(alice: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    read = receiving.items

    def overtaken(*request: Any) -> list[Item]:
        monkeypatch.setattr(receiving, "items", read)
        assert post(content).status_code == 204
        return read(*request)

    content = body(placed(alice))
    monkeypatch.setattr(receiving, "items", overtaken)
    assert post(content).status_code == 503
    assert Account.objects.get(customer_id=alice).balance == Decimal("90.00")
    assert post(content).status_code == 204


def test_events_are_split_in_waves_as_those_of_a_log_are(alice: UUID) -> None:
    orders = [placed(alice, "1.00") for _ in range(9)]
    cancelled = [OrderCancelled(order_id=order.order_id, customer_id=alice, cancelled_at=NOW) for order in orders]
    told = [event for pair in zip(orders, cancelled, strict=True) for event in pair]
    assert post(body(*told)).status_code == 204
    assert list(Invoice.objects.values_list("status", flat=True)) == ["refunded"] * 9
    assert Account.objects.get(customer_id=alice).balance == Decimal("100.00")


def test_a_flood_of_failures_is_not_drained_into_dead_letters(alice: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(events: object) -> list[Event]:
        raise ValueError("a bug was deployed")

    route = ROUTES["billing"]
    monkeypatch.setitem(ROUTES, "billing", Route(route.group, route.topic, {OrderPlaced: broken}))
    answers = [post(body(*(placed(alice) for _ in range(60)))).status_code for _ in range(3)]
    assert answers == [204, 503, 503]
    assert DeadLetter.objects.count() == 100
