"""Many orders in one request, each answered by itself."""

from decimal import Decimal
from typing import Any

import pytest

from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from orders.models import Order, Product

BULK = "/api/v1/orders/bulk/"


@pytest.fixture
def carol(catalogue: None) -> User:
    return user("carol")


def order(sku: Any = "TEA-001", quantity: Any = 1) -> dict[str, Any]:
    return {"items": [{"product": sku, "quantity": quantity}]}


def post(person: User, orders: Any) -> Any:
    return caller(person).post(BULK, {"orders": orders})


def test_each_order_is_placed_and_answered_in_its_place(carol: User) -> None:
    response = post(carol, [order(quantity=number) for number in (3, 1, 2)])

    results = response.json()["results"]
    assert response.status_code == 200
    assert [result["status"] for result in results] == [201, 201, 201]
    assert [result["order"]["items"][0]["quantity"] for result in results] == [3, 1, 2]
    assert caller(carol).get(f"/api/v1/orders/{results[0]['order']['id']}/").json() == results[0]["order"]
    assert Order.objects.filter(customer_id=carol.pk).count() == OutboxRow.objects.count() == 3


def test_one_that_is_wrong_keeps_no_other_from_being_placed(carol: User) -> None:
    response = post(carol, [order("NOTHING"), order(), {"items": []}, "tea", order(quantity="1"), {**order(), "gift": True}])

    refusals = {index: result["errors"] for index, result in enumerate(response.json()["results"]) if result["status"] == 400}
    assert {index: (errors[0]["pointer"], errors[0]["code"]) for index, errors in refusals.items()} == {
        0: ("/orders/0/items/0/product", "unknown_product"),
        2: ("/orders/2/items", "min_length"),
        3: ("/orders/3", "invalid"),
        4: ("/orders/4/items/0/quantity", "invalid"),
        5: ("/orders/5/gift", "unknown"),
    }
    assert Order.objects.count() == OutboxRow.objects.count() == 1


def test_an_order_too_dear_is_refused_by_itself(carol: User) -> None:
    Product.objects.filter(sku="ESP-001").update(price=Decimal("999999999.99"))

    refusal, placed = post(carol, [order("ESP-001", 2), order()]).json()["results"]

    assert (refusal["errors"][0]["pointer"], refusal["errors"][0]["code"]) == ("/orders/0/items", "unplaceable")
    assert placed["status"] == 201


@pytest.mark.parametrize(("orders", "code"), [([], "min_length"), ([{}] * 1001, "max_length"), ({}, "not_a_list"), ("all", "not_a_list")])
def test_one_to_a_thousand_orders_are_a_list(carol: User, orders: Any, code: str) -> None:
    refused(post(carol, orders), 400, "/orders", code)
    assert not Order.objects.exists()


def test_a_thousand_orders_take_a_few_statements(carol: User, statements: list[str]) -> None:
    client = caller(carol)
    del statements[:]

    response = client.post(BULK, {"orders": [order()] * 1000})

    assert [result["status"] for result in response.json()["results"]] == [201] * 1000
    assert len(statements) < 20


def test_sent_twice_with_a_key_the_orders_are_placed_once(carol: User) -> None:
    first, second = (
        caller(carol).post(BULK, {"orders": [order(), order("NOTHING")]}, headers={"Idempotency-Key": "import-1"}) for _ in range(2)
    )

    assert first.json() == second.json()
    assert Order.objects.count() == 1


def test_nobody_places_nothing(db: None) -> None:
    refused(caller().post(BULK, {"orders": [order()]}), 401)
