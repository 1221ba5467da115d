"""orders/: the catalogue, and orders for their customers only."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Semaphore
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils.dateparse import parse_datetime
from pytest_django import DjangoAssertNumQueries

from kafka_shop.api import preferences
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.ids import uuid7
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from orders.models import Order, OrderLine, Product
from tests.keys import drawn_at

ORDERS, PRODUCTS = "/api/v1/orders/", "/api/v1/orders/products/"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def carol(catalogue: None) -> User:
    return user("carol")


@pytest.fixture
def dave(catalogue: None) -> User:
    return user("dave")


@pytest.fixture
def staff(catalogue: None) -> User:
    return user("staff", staff=True)


@pytest.fixture
def catalogue(db: None) -> None:
    fill_catalogue()


def fill_catalogue() -> None:
    """Tea and mugs in euros, a thing in dollars, a thing that costs all one can pay, a thing that is no longer sold."""
    for sku, price, currency, active in [
        ("tea", "4.50", "EUR", True),
        ("mug", "12.00", "EUR", True),
        ("map", "3.00", "USD", True),
        ("isle", "999999999.99", "EUR", True),
        ("gone", "1.00", "EUR", False),
    ]:
        Product.objects.create(sku=sku, name=sku.title(), price=Decimal(price), currency=currency, active=active)


def items(**quantities: Any) -> dict[str, Any]:
    return {"items": [{"product": sku, "quantity": quantity} for sku, quantity in quantities.items()]}


def nothing_happened() -> bool:
    return not (Order.objects.exists() or OrderLine.objects.exists() or OutboxRow.objects.exists())


def order_of(customer: User, **changes: Any) -> Order:
    """An order that is there, pending unless told otherwise."""
    fields = {"total": Decimal("4.50"), "currency": "EUR", "placed_at": NOW, "sweep_from": NOW} | changes
    order = Order.objects.create(customer_id=customer.pk, **fields)
    OrderLine.objects.create(order=order, product="tea", quantity=1, price=Decimal("4.50"))
    return order


def paid(customer: User, **changes: Any) -> Order:
    return order_of(customer, paid_at=NOW + timedelta(seconds=1), sweep_from=None, **changes)


def rejected(customer: User, **changes: Any) -> Order:
    return order_of(customer, rejected_at=NOW + timedelta(seconds=1), reason="insufficient_funds", sweep_from=None, **changes)


def found(response: Any) -> Sequence[UUID]:
    assert response.status_code == 200, response.content
    return [UUID(each["id"]) for each in response.json()["results"]]


# --- the catalogue ---


def test_the_catalogue_shows_what_is_sold_and_for_how_much(carol: User) -> None:
    products = caller(carol).get(PRODUCTS).json()["results"]
    assert [product["sku"] for product in products] == ["isle", "map", "mug", "tea"]
    assert products[-1] == {"sku": "tea", "name": "Tea", "price": "4.50", "currency": "EUR"}


def test_the_catalogue_is_not_for_nobody_and_not_to_be_written(carol: User) -> None:
    refused(caller().get(PRODUCTS), 401)
    refused(caller(carol).post(PRODUCTS, {"sku": "x"}), 405)


# --- placing ---


def test_an_order_is_placed_at_the_catalogues_prices(carol: User) -> None:
    response = caller(carol).post(ORDERS, items(tea=3, mug=1))
    assert response.status_code == 201
    order = response.json()
    assert list(order) == ["id", "status", "total", "currency", "items", "placed_at", "settled_at", "reason"]
    assert UUID(order["id"]).version == 7
    assert order["placed_at"].endswith("Z")
    assert parse_datetime(order["placed_at"]) == Order.objects.get().placed_at
    del order["id"], order["placed_at"]
    assert order == {
        "status": "pending",
        "total": "25.50",
        "currency": "EUR",
        "items": [{"product": "tea", "quantity": 3, "price": "4.50"}, {"product": "mug", "quantity": 1, "price": "12.00"}],
        "settled_at": None,
        "reason": "",
    }
    assert OutboxRow.objects.get().key == str(carol.pk)


def test_the_location_leads_to_the_order(carol: User) -> None:
    client = caller(carol)
    response = client.post(ORDERS, items(tea=1))
    assert response["Location"] == f"http://testserver{ORDERS}{response.json()['id']}/"
    assert client.get(response["Location"]).json() == response.json()
    assert "Preference-Applied" not in response


def test_a_path_without_its_slash_places_an_order_too(carol: User) -> None:
    assert caller(carol).post(ORDERS.rstrip("/"), items(tea=1)).status_code == 201


def test_the_trace_of_the_request_travels_with_the_fact(carol: User) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    caller(carol).post(ORDERS, items(tea=1), headers={"traceparent": trace})
    assert f'"traceparent":"{trace}"'.encode() in bytes(OutboxRow.objects.get().event)


def test_nobody_places_no_order(catalogue: None) -> None:
    refused(caller().post(ORDERS, items(tea=1)), 401)
    assert nothing_happened()


def test_the_most_and_the_least_that_an_order_takes(carol: User) -> None:
    Product.objects.bulk_create([Product(sku=f"p{n}", name="p", price=Decimal("1.00"), currency="EUR") for n in range(101)])
    client = caller(carol)
    assert client.post(ORDERS, items(**{f"p{n}": 10_000 for n in range(100)})).json()["total"] == "1000000.00"
    assert client.post(ORDERS, items(p1=1)).status_code == 201
    refused(client.post(ORDERS, items(**{f"p{n}": 1 for n in range(101)})), 400, "/items", "max_length")


@pytest.mark.parametrize("quantity", [0, -1, 10_001, 10**30, 1.0, 1.5, "1", "", True, None, [], {}])
def test_a_quantity_is_a_whole_number_from_1_to_10000(carol: User, quantity: Any) -> None:
    refused(caller(carol).post(ORDERS, items(mug=1, tea=quantity)), 400, "/items/1/quantity")
    assert nothing_happened()


@pytest.mark.parametrize("product", ["gone", "nothing", "TEA", " tea", "", "x" * 41, 1, True, None, ["tea"], {}, "tea\0"])
def test_a_product_is_one_that_is_sold(carol: User, product: Any) -> None:
    refused(caller(carol).post(ORDERS, {"items": [{"product": product, "quantity": 1}]}), 400, "/items/0/product")
    assert nothing_happened()


def test_each_unknown_product_is_pointed_at(carol: User) -> None:
    response = caller(carol).post(ORDERS, items(ghost=1, tea=1, gone=2))
    refused(response, 400, "/items/0/product", "unknown_product")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/items/0/product", "/items/2/product"]
    assert nothing_happened()


def test_a_product_twice_is_refused_where_it_is_the_second_time(carol: User) -> None:
    tea, mug = {"product": "tea", "quantity": 1}, {"product": "mug", "quantity": 1}
    response = caller(carol).post(ORDERS, {"items": [tea, mug, tea]})
    refused(response, 400, "/items/2/product", "duplicate")
    assert len(response.json()["errors"]) == 1
    assert nothing_happened()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/items"),
        ({"items": []}, "/items"),
        ({"items": None}, "/items"),
        ({"items": "tea"}, "/items"),
        ({"items": {"product": "tea", "quantity": 1}}, "/items"),
        ({"items": ["tea"]}, "/items/0"),
        ({"items": [{"product": "tea"}]}, "/items/0/quantity"),
        ({"items": [{"quantity": 1}]}, "/items/0/product"),
        ({"items": [{"product": "tea", "quantity": 1, "price": "0.01"}]}, "/items/0/price"),
        ({"items": [{"product": "tea", "quantity": 1}], "total": "0.01"}, "/total"),
        ({"items": [{"product": "tea", "quantity": 1}], "customer_id": str(uuid7())}, "/customer_id"),
        ([], ""),
        ("tea", ""),
        (1, ""),
    ],
)
def test_an_order_of_another_shape_is_refused(carol: User, body: Any, pointer: str) -> None:
    refused(caller(carol).post(ORDERS, body), 400, pointer)
    assert nothing_happened()


def test_two_currencies_are_no_order(carol: User) -> None:
    refused(caller(carol).post(ORDERS, items(tea=1, map=1)), 400, "/items", "unplaceable")
    assert nothing_happened()


def test_an_order_costs_no_more_than_can_be_paid(carol: User) -> None:
    client = caller(carol)
    refused(client.post(ORDERS, items(isle=2)), 400, "/items", "unplaceable")
    assert nothing_happened()
    assert client.post(ORDERS, items(isle=1)).status_code == 201


def test_a_form_is_no_order(carol: User) -> None:
    refused(caller(carol).post(ORDERS, {"items": "tea"}, format="multipart"), 415)


# --- looking ---


def test_customers_see_their_own_staff_sees_all_nobody_sees_none(carol: User, dave: User, staff: User) -> None:
    of_carol, of_dave = order_of(carol), order_of(dave)
    assert found(caller(carol).get(ORDERS)) == [of_carol.id]
    assert found(caller(staff).get(ORDERS)) == [of_dave.id, of_carol.id]
    refused(caller().get(ORDERS), 401)
    assert caller(carol).get(f"{ORDERS}{of_carol.id}/").status_code == 200
    assert caller(staff).get(f"{ORDERS}{of_carol.id}/").status_code == 200
    refused(caller(dave).get(f"{ORDERS}{of_carol.id}/"), 404)
    refused(caller().get(f"{ORDERS}{of_carol.id}/"), 401)


@pytest.mark.parametrize("id", [uuid7(), "x", "1", "%00", "00000000-0000-0000-0000-00000000000g"])
def test_an_order_that_is_not_there_is_404(carol: User, id: object) -> None:
    refused(caller(carol).get(f"{ORDERS}{id}/"), 404)


def test_a_settled_order_says_when_and_why(carol: User) -> None:
    order = caller(carol).get(f"{ORDERS}{rejected(carol).id}/").json()
    assert (order["status"], order["reason"], order["settled_at"]) == ("rejected", "insufficient_funds", "2026-01-31T12:00:01Z")


def test_orders_are_filtered_by_status_and_time(carol: User) -> None:
    at = NOW + timedelta(microseconds=1)
    early, late = paid(carol, id=drawn_at(NOW)), rejected(carol, id=drawn_at(at), placed_at=at)
    client, border = caller(carol), "2026-01-31T12:00:00.000001Z"
    assert found(client.get(ORDERS, {"status": "paid"})) == [early.id]
    assert found(client.get(ORDERS, {"status": "pending"})) == []
    waiting = order_of(carol, id=drawn_at(NOW - timedelta(days=1)), placed_at=NOW - timedelta(days=1))
    assert found(client.get(ORDERS, {"status": "pending"})) == [waiting.id]
    assert found(client.get(ORDERS, {"placed_after": border})) == [late.id]
    assert found(client.get(ORDERS, {"placed_before": border})) == [early.id, waiting.id]
    assert found(client.get(ORDERS, {"placed_after": border, "status": "paid"})) == []


@pytest.mark.parametrize("query", [{"status": "lost"}, {"placed_after": "2026-01-31T12:00:00"}, {"placed_before": "x"}, {"total": "1.00"}])
def test_a_filter_that_is_not_understood_is_400(carol: User, query: dict[str, str]) -> None:
    refused(caller(carol).get(ORDERS, query), 400, f"/{next(iter(query))}")


def test_a_list_costs_the_same_statements_however_long_it_is(carol: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = caller(carol)
    for _ in range(3):
        order_of(carol)
    for size in (1, 3):
        with django_assert_num_queries(3):  # the token, the orders, their lines
            client.get(f"{ORDERS}?page_size={size}")


# --- cancelling ---


@pytest.mark.parametrize("make", [order_of, paid])
def test_a_pending_or_a_paid_order_is_cancelled_at_once(carol: User, make: Any) -> None:
    order = make(carol)
    response = caller(carol).post(f"{ORDERS}{order.id}/cancel/")
    assert response.status_code == 200
    assert response.json()["status"] == "cancelled"
    assert response.json()["items"] == [{"product": "tea", "quantity": 1, "price": "4.50"}]
    assert sorted(OutboxRow.objects.values_list("event_id", flat=True)) == [
        f"order.cancelled:{order.id}",
        f"order.settled:{order.id}:cancelled",
    ]


def test_a_rejected_or_cancelled_order_is_not_cancelled(carol: User) -> None:
    client, order = caller(carol), rejected(carol)
    refused(client.post(f"{ORDERS}{order.id}/cancel/"), 409, code="not_cancellable")
    assert Order.objects.get().cancelled_at is None
    pending = order_of(carol)
    client.post(f"{ORDERS}{pending.id}/cancel/")
    refused(client.post(f"{ORDERS}{pending.id}/cancel/"), 409, code="not_cancellable")
    assert OutboxRow.objects.count() == 2


def test_nobody_cancels_anothers_order_but_staff(carol: User, dave: User, staff: User) -> None:
    path = f"{ORDERS}{order_of(carol).id}/cancel/"
    refused(caller(dave).post(path), 404)
    refused(caller().post(path), 401)
    refused(caller(carol).post(path, {"reason": "why not"}), 400, "/reason")
    refused(caller(carol).get(path), 405)
    assert Order.objects.get().status == "pending"
    assert caller(staff).post(path).status_code == 200


# --- Prefer: wait ---


@pytest.fixture
def waiting(committed: None) -> User:
    """A customer whose transactions others see."""
    fill_catalogue()
    return user("carol")


def settle_the_first_order() -> None:
    """Pays the first order as soon as there is one, from another connection."""
    while not Order.objects.update(paid_at=NOW, sweep_from=None):
        connections["default"].close()
    connections.close_all()


def test_a_post_that_waits_answers_with_the_end_of_the_order(waiting: User) -> None:
    client = caller(waiting)
    with ThreadPoolExecutor(1) as pool:
        settled = pool.submit(settle_the_first_order)
        response = client.post(ORDERS, items(tea=1), headers={"Prefer": "wait=10"})
        settled.result()
    assert response.status_code == 201
    assert response["Preference-Applied"] == "wait=10"
    assert response["Location"]
    assert response.json()["status"] == "paid"
    assert response.json()["items"] == [{"product": "tea", "quantity": 1, "price": "4.50"}]


def test_a_get_that_waits_in_vain_answers_with_the_order_as_it_is(waiting: User) -> None:
    response = caller(waiting).get(f"{ORDERS}{order_of(waiting).id}/", headers={"Prefer": "wait=1"})
    assert (response.status_code, response.json()["status"], response["Preference-Applied"]) == (200, "pending", "wait=1")


def test_who_waits_holds_no_connection(waiting: User, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[Any] = []

    def sleep(seconds: float) -> None:
        pauses.append(connections["default"].connection)
        time.sleep(seconds)

    monkeypatch.setattr(preferences, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    caller(waiting).get(f"{ORDERS}{order_of(waiting).id}/", headers={"Prefer": "wait=1"})
    assert pauses
    assert not any(pauses)


def test_with_too_many_waiting_the_answer_comes_at_once_without_the_header(carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "slots", Semaphore(0))
    response = caller(carol).post(ORDERS, items(tea=1), headers={"Prefer": "wait=10"})
    assert (response.status_code, response.json()["status"]) == (201, "pending")
    assert "Preference-Applied" not in response


def test_nobody_waits_for_anothers_order(carol: User, dave: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "poll", pytest.fail)
    refused(caller(dave).get(f"{ORDERS}{order_of(carol).id}/", headers={"Prefer": "wait=10"}), 404)
