"""notify/: letters, to their readers only."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.ids import uuid7
from kafka_shop.users.models import User
from notify.models import Letter
from tests.keys import drawn_at

LETTERS = "/api/v1/notify/notifications/"
NOW = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def carol() -> User:
    return user("carol")


@pytest.fixture
def dave() -> User:
    return user("dave")


@pytest.fixture
def staff() -> User:
    return user("staff", staff=True)


def letter(reader: User, **changes: Any) -> Letter:
    fields = {"order_id": uuid7(), "outcome": "paid", "subject": "Paid", "body": "Dear customer", "created_at": NOW} | changes
    return Letter.objects.create(customer_id=reader.pk, **fields)


def found(response: Any) -> Sequence[UUID]:
    assert response.status_code == 200, response.content
    return [UUID(each["id"]) for each in response.json()["results"]]


def test_a_letter_says_all_that_it_has_to_say(carol: User) -> None:
    one = letter(carol)
    assert caller(carol).get(LETTERS).json()["results"] == [
        {
            "id": str(one.id),
            "order_id": str(one.order_id),
            "customer_id": str(carol.pk),
            "outcome": "paid",
            "subject": "Paid",
            "body": "Dear customer",
            "created_at": "2026-01-31T12:00:00.123456Z",
            "read_at": None,
        }
    ]


def test_customers_read_their_own_staff_reads_all_nobody_reads_none(carol: User, dave: User, staff: User) -> None:
    to_carol, to_dave = letter(carol), letter(dave)
    assert found(caller(carol).get(LETTERS)) == [to_carol.id]
    assert found(caller(staff).get(LETTERS)) == [to_dave.id, to_carol.id]
    refused(caller().get(LETTERS), 401)


def test_filters_narrow_what_one_may_see_and_never_widen_it(carol: User, dave: User) -> None:
    paid, rejected, strange = letter(carol), letter(carol, outcome="rejected"), letter(dave)
    client = caller(carol)
    assert found(client.get(LETTERS, {"order_id": str(paid.order_id)})) == [paid.id]
    assert found(client.get(LETTERS, {"outcome": "rejected"})) == [rejected.id]
    assert found(client.get(LETTERS, {"order_id": str(paid.order_id), "outcome": "rejected"})) == []
    assert found(client.get(LETTERS, {"order_id": str(strange.order_id)})) == []


def test_windows_of_time_meet_without_gap_or_overlap(carol: User) -> None:
    at = [NOW, NOW + timedelta(microseconds=1)]
    early, late = (letter(carol, id=drawn_at(time), created_at=time) for time in at)
    client, border = caller(carol), "2026-01-31T12:00:00.123457Z"
    assert found(client.get(LETTERS, {"created_after": border})) == [late.id]
    assert found(client.get(LETTERS, {"created_before": border})) == [early.id]
    assert found(client.get(LETTERS, {"created_before": "2026-01-31T13:00:00.123457+01:00"})) == [early.id]


@pytest.mark.parametrize(
    "query",
    [
        {"order_id": "x"},
        {"outcome": "lost"},
        {"created_after": "yesterday"},
        {"created_before": "2026-01-31"},
        {"customer_id": str(uuid7())},
        {"read": "1"},
    ],
)
def test_a_filter_that_is_not_understood_is_400(carol: User, query: dict[str, str]) -> None:
    refused(caller(carol).get(LETTERS, query), 400, f"/{next(iter(query))}")


def read(client: Any, id: object, body: object = None) -> Any:
    return client.post(f"{LETTERS}{id}/read/", body)


def test_reading_notes_the_first_time_only(carol: User) -> None:
    one, client = letter(carol), caller(carol)
    first = read(client, one.id)
    assert first.status_code == 200
    assert first.json()["read_at"].endswith("Z")
    assert read(client, one.id, {}).json() == first.json()
    assert Letter.objects.get().read_at is not None


def test_nobody_reads_anothers_letter_but_staff(carol: User, dave: User, staff: User) -> None:
    one = letter(carol)
    refused(read(caller(dave), one.id), 404)
    refused(read(caller(), one.id), 401)
    assert Letter.objects.get().read_at is None
    assert read(caller(staff), one.id).status_code == 200


def test_reading_takes_no_body_and_no_unknown_letter(carol: User) -> None:
    one, client = letter(carol), caller(carol)
    refused(read(client, one.id, {"at": "now"}), 400, "/at", "unknown")
    refused(read(client, uuid7()), 404)
    refused(read(client, "x"), 404, code="not_found")
    refused(client.get(f"{LETTERS}{one.id}/read/"), 405)
    assert Letter.objects.get().read_at is None
