"""Pages of a long list, by the example of letters and of the catalogue."""

from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_django import DjangoAssertNumQueries

from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.ids import uuid7
from kafka_shop.users.models import User
from notify.models import Letter
from orders.models import Product

LETTERS, PRODUCTS = "/api/v1/notify/notifications/", "/api/v1/orders/products/"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def carol() -> User:
    return user("carol")


def write_letters(reader: User, count: int) -> list[str]:
    """Letters to a customer; their ids, newest first."""
    letters = [Letter(customer_id=reader.pk, order_id=uuid7(), outcome="paid", subject="s", body="b", created_at=NOW) for _ in range(count)]
    Letter.objects.bulk_create(letters)
    return [str(letter.id) for letter in reversed(letters)]


def ids(page: Any) -> list[str]:
    return [letter["id"] for letter in page["results"]]


def test_a_page_has_three_members_and_fifty_results(carol: User) -> None:
    newest = write_letters(carol, 51)
    page = caller(carol).get(LETTERS).json()
    assert list(page) == ["next", "previous", "results"]
    assert ids(page) == newest[:50]
    assert page["previous"] is None


def test_an_empty_list_is_a_page(carol: User) -> None:
    assert caller(carol).get(LETTERS).json() == {"next": None, "previous": None, "results": []}


def test_next_and_previous_turn_through_all_and_back_while_new_ones_arrive(carol: User) -> None:
    newest, client = write_letters(carol, 5), caller(carol)
    first = client.get(f"{LETTERS}?page_size=2").json()
    write_letters(carol, 2)
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    assert [ids(first), ids(second), ids(third)] == [newest[:2], newest[2:4], newest[4:]]
    assert third["next"] is None
    assert ids(client.get(third["previous"]).json()) == newest[2:4]


def test_a_page_keeps_its_filters(carol: User) -> None:
    write_letters(carol, 3)
    page = caller(carol).get(f"{LETTERS}?page_size=2&outcome=paid").json()
    assert "outcome=paid" in page["next"]
    assert "page_size=2" in page["next"]


@pytest.mark.parametrize(("size", "results"), [("1", 1), ("200", 200)])
def test_a_page_is_as_large_as_asked_for(carol: User, size: str, results: int) -> None:
    write_letters(carol, 201)
    assert len(caller(carol).get(f"{LETTERS}?page_size={size}").json()["results"]) == results


@pytest.mark.parametrize("size", ["0", "201", "-1", "+5", "1.0", "1e2", "", "x", "٥", "005", "9" * 5000])
def test_another_page_size_is_400(carol: User, size: str) -> None:
    refused(caller(carol).get(LETTERS, {"page_size": size}), 400, "/page_size")


def cursor(**tokens: str) -> str:
    return b64encode(urlencode(tokens).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "\xff",
        "[]",
        "%",
        "\0",
        "-_-_",
        cursor(p="no uuid"),
        cursor(p="\0"),
        cursor(r="x"),
        cursor(o="x"),
        cursor(o="-1"),
        cursor(p="1" * 5000),
    ],
)
def test_an_invented_cursor_is_400(carol: User, text: str) -> None:
    write_letters(carol, 1)
    refused(caller(carol).get(LETTERS, {"cursor": text}), 400, "/cursor")


@pytest.mark.parametrize("text", [cursor(o="10"), cursor(p=str(uuid7()))])
def test_a_strange_but_possible_cursor_is_a_page(carol: User, text: str) -> None:
    assert caller(carol).get(LETTERS, {"cursor": text}).status_code == 200


def test_a_cursor_of_text_takes_any_text_but_nul(carol: User) -> None:
    Product.objects.bulk_create([Product(sku=sku, name=sku, price=Decimal(1), currency="EUR") for sku in ("a", "b", "c")])
    client = caller(carol)
    page = client.get(client.get(f"{PRODUCTS}?page_size=1").json()["next"]).json()
    assert [product["sku"] for product in page["results"]] == ["b"]
    assert client.get(PRODUCTS, {"cursor": cursor(p="\U0001f375")}).status_code == 200
    refused(client.get(PRODUCTS, {"cursor": cursor(p="a\0")}), 400, "/cursor")


def test_a_page_costs_the_same_statements_however_long_it_is(carol: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    write_letters(carol, 200)
    client = caller(carol)
    for size in (1, 200):
        with django_assert_num_queries(2):  # the token, the letters
            client.get(f"{LETTERS}?page_size={size}")
