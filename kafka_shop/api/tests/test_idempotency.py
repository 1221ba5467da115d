"""`Idempotency-Key`: whatever is sent again has its effect once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

import orders.services
from billing.models import Transfer
from consumers import relay
from kafka_shop.api import idempotency
from kafka_shop.api.models import IdempotencyKey
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.ids import uuid7
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from orders.models import Order
from tests.sessions import in_own_session, second_session

ORDERS, ACCOUNTS = "/api/v1/orders/", "/api/v1/billing/accounts/"
TEA = {"items": [{"product": "TEA-001", "quantity": 1}]}
WITHOUT_KEYS = ("auth/", "events/", "ops/")


@pytest.fixture
def carol(db: None) -> User:
    orders.services.seed_catalogue()
    return user("carol")


@pytest.fixture
def committed_carol(committed: None) -> Iterator[User]:
    orders.services.seed_catalogue()
    yield user("carol")


def post(person: User, path: str = ORDERS, body: Any = TEA, key: str = "monday-1") -> Any:
    return caller(person).post(path, body, headers={"Idempotency-Key": key})


def test_an_order_that_is_sent_twice_is_placed_once_and_answered_alike(carol: User) -> None:
    first, second = post(carol), post(carol)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first["Location"] == second["Location"]
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert Order.objects.count() == OutboxRow.objects.count() == 1


def test_without_a_key_two_orders_are_two(carol: User) -> None:
    caller(carol).post(ORDERS, TEA)
    caller(carol).post(ORDERS, TEA)

    assert Order.objects.count() == 2
    assert not IdempotencyKey.objects.exists()


def test_another_key_is_another_order(carol: User) -> None:
    assert post(carol, key="a").json()["id"] != post(carol, key="b").json()["id"]


def test_a_key_belongs_to_its_caller(carol: User) -> None:
    assert post(carol).json()["id"] != post(user("dave")).json()["id"]


def test_a_deposit_that_is_sent_twice_is_one(carol: User) -> None:
    account = caller(carol).post(ACCOUNTS, {}).json()["id"]

    first, second = (post(carol, f"{ACCOUNTS}{account}/deposits/", {"amount": "5.00"}) for _ in range(2))

    assert first.json() == second.json()
    assert Transfer.objects.get().amount == Decimal("5.00")


def test_bodies_are_compared_by_what_they_say(carol: User) -> None:
    body = '{ "items": [ {"quantity": 1,"product":"TEA-001"} ] }'
    first = post(carol)

    second = caller(carol).post(ORDERS, body, content_type="application/json", headers={"Idempotency-Key": "monday-1"})

    assert second.json() == first.json()


def test_a_key_with_another_body_or_path_is_refused_and_does_nothing(carol: User) -> None:
    order = post(carol).json()["id"]

    refused(post(carol, body={"items": [{"product": "TEA-001", "quantity": 2}]}), 422, code="idempotency_key_reused")
    refused(post(carol, f"{ORDERS}{order}/cancel/", {}), 422, code="idempotency_key_reused")

    assert Order.objects.get().status == "pending"


def test_an_error_is_not_stored(carol: User) -> None:
    refused(post(carol, body={"items": []}), 400, "/items")
    refused(post(carol, body={"items": [{"product": "NOTHING", "quantity": 1}]}), 400, "/items/0/product")

    assert not IdempotencyKey.objects.exists()
    assert post(carol).status_code == 201


def test_a_replayed_order_may_be_waited_for(carol: User) -> None:
    order_id = post(carol).json()["id"]
    Order.objects.filter(id=order_id).update(paid_at=timezone.now(), sweep_from=None)

    again = caller(carol).post(ORDERS, TEA, headers={"Idempotency-Key": "monday-1", "Prefer": "wait=5"})

    assert (again.status_code, again.json()["status"]) == (201, "paid")
    assert (again["Preference-Applied"], again["Idempotency-Replayed"]) == ("wait=5", "true")


@pytest.mark.parametrize("key", ["", "two words", "ключ", "x" * 256, "tab\t"])
def test_a_header_that_is_no_key_is_refused(carol: User, key: str) -> None:
    refused(post(carol, key=key), 400)
    assert not Order.objects.exists()


def test_the_longest_key_is_one(carol: User) -> None:
    assert post(carol, key="~" * 255).status_code == 201


def posts(patterns: Any, prefix: str = "") -> Iterator[str]:
    """Every path of the API that takes a POST and a key, with some id where one is needed."""
    for each in patterns:
        path = prefix + str(each.pattern).replace("<uuid:pk>", str(uuid7()))
        if isinstance(each, URLResolver):
            yield from posts(each.url_patterns, path)
        elif isinstance(each, URLPattern) and "post" in getattr(each.callback, "actions", {}) and not any(w in path for w in WITHOUT_KEYS):
            yield f"/{path}"


def test_every_post_of_the_services_takes_a_key(carol: User, settings: Any) -> None:
    settings.SELF_SERVICE_DEPOSITS = True
    paths = sorted(path for path in posts(get_resolver().url_patterns) if path.startswith("/api/v1/"))

    assert len(paths) >= 7
    for path in paths:
        refused(post(carol, path, {}, key="no key"), 400, code="parse_error")


# --- at once ---


def test_fifty_at_once_are_one_order(committed_carol: User) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = [each.result() for each in [pool.submit(in_own_session(lambda: post(committed_carol))) for _ in range(50)]]

    assert Order.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in answers if answer.status_code == 201) == 1


def insert(session: "psycopg.Connection[Any]", person: User) -> None:
    """A request with the same key, in the midst of its transaction."""
    session.execute(idempotency.TAKE, [person.pk, "monday-1", ORDERS, "", timezone.now()])


def test_a_twin_in_flight_is_waited_for_and_then_refused(committed_carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT", "SET LOCAL lock_timeout = '50ms'")
    with second_session() as twin:
        insert(twin, committed_carol)

        refused(post(committed_carol), 409, code="idempotency_key_in_flight")

    assert not Order.objects.exists()


def test_a_process_that_dies_leaves_no_key_behind(committed_carol: User) -> None:
    with second_session() as worker:
        insert(worker, committed_carol)
        worker.close()

        assert post(committed_carol).status_code == 201


# --- for seven days ---


def test_keys_are_forgotten_after_seven_days_by_the_relays_sweep(carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        post(carol, key=f"old-{number}")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=7, seconds=1))
    post(carol, key="young")
    monkeypatch.setattr(idempotency, "PURGED", 3)

    relay.sweep(timezone.now())
    assert IdempotencyKey.objects.count() == 3
    relay.sweep(timezone.now())

    assert [each.key for each in IdempotencyKey.objects.all()] == ["young"]
    assert Order.objects.count() == 6
