"""The short ways answer and write as the long way does, and leave to it what is unusual."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from knox.models import AuthToken
from rest_framework.test import APIClient

from kafka_shop.api import express
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.databases import rows
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from orders import placing, services, store
from orders.api import OrderViewSet
from orders.models import Order, Product
from tests.sessions import second_session

ORDERS = "/api/v1/orders/"
TEA = {"items": [{"product": "TEA-001", "quantity": 2}, {"product": "MUG-001", "quantity": 1}]}
OWN = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|20[0-9-]{8}T[0-9:]{8}(\.[0-9]+)?(Z|\+00:00)|cursor=\w+(%3D)*")
TABLES = ("orders_orderline", "orders_order", "messaging_outboxrow", "api_idempotencykey")


@pytest.fixture
def carol(catalogue: None) -> User:
    return user("carol")


@pytest.fixture
def client(carol: User) -> APIClient:
    return caller(carol)


@contextmanager
def the_long_way() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(express.ExpressMiddleware, "answer", lambda *_: None)
        yield


@pytest.fixture
def only_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """REST framework does not answer."""

    def dispatch(*_: Any, **__: Any) -> None:
        raise AssertionError("the long way was taken")

    monkeypatch.setattr(OrderViewSet, "dispatch", dispatch)


def both(ask: Callable[[], Any]) -> tuple[Any, Any]:
    """What the two ways answer to the same request, the short one first."""
    short = ask()
    with the_long_way():
        return short, ask()


def told(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what each has for itself."""
    headers = {name: OWN.sub(b"", value.encode()).decode() for name, value in answer.headers.items() if name != "Content-Length"}
    return answer.status_code, OWN.sub(b"", answer.content), headers


def written() -> list[bytes]:
    """What an order has left in each table, without what each has for itself; then the tables are empty."""
    found = [row for table in TABLES for row in rows("default", f"DELETE FROM {table} AS row RETURNING to_jsonb(row) - 'id' - 'number'")]
    return [OWN.sub(b"", plain(json.loads(row))) for (row,) in found]


def plain(row: dict[str, Any]) -> bytes:
    """A row with its event as text."""
    event = bytes.fromhex(row.pop("event", "\\x")[2:])
    return json.dumps(row).encode() + event


# --- placing ---

PRODUCTS = st.sampled_from(["TEA-001", "MUG-001", "COF-001", "MAP", "NOTHING", "", "x" * 41, "tea:1", "\\", "é", "\0", "\ud800"])
ODD: st.SearchStrategy[Any] = st.sampled_from([None, True, 1.0, 1e3, "1", "", [], {}, 0, -1, 10_001, 10**25])
LINES = st.fixed_dictionaries(
    {"product": PRODUCTS | ODD, "quantity": st.integers(1, 3) | ODD}, optional={"price": st.just("0.01")}
)  # fmt: skip
ORDINARY = st.lists(
    st.fixed_dictionaries({"product": st.sampled_from(["TEA-001", "MUG-001", "COF-001"]), "quantity": st.integers(1, 10_000)}),
    min_size=1,
    max_size=3,
).map(lambda items: {"items": items})
ORDERED = ORDINARY | st.fixed_dictionaries({"items": st.lists(LINES, max_size=3) | ODD}, optional={"total": st.just(1)}) | ODD
LINE = b'{"product":"TEA-001","quantity":1}'
WRITTEN = st.sampled_from(
    [
        b"",
        b"{",
        b"[" * 5000,
        b"\xef\xbb\xbf{}",
        b'{"items":[%b]}\xff' % LINE,
        b'{"items":[%b],"items":[]}' % LINE,
        b'{"items":[%b]}' % LINE.replace(b"1}", b"01}"),
        b'{"items":[%b]}' % LINE.replace(b"1}", b"NaN}"),
        b'{"items":[%b]}' % LINE.replace(b"-", b"\\u002d"),
        b'{"items":[%b]}' % LINE.replace(b"}", b',"quantity":2}'),
        b'{"items":[%b]}' % LINE.replace(b"}", b',"\\u0071uantity":2}'),
        b' {"items" : [ {"quantity":\n1 , "product":"TEA-001"} ] } ',
    ]
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Idempotency-Key": st.sampled_from(["monday-1", "", "two words", "~" * 255, "x" * 256]),
        "Accept": st.sampled_from(["*/*", "application/json", "application/xml", "application/json;q=0.5, */*;q=0.1"]),
        "Content-Encoding": st.sampled_from(["identity", "gzip"]),
        "traceparent": st.sampled_from(["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "no trace"]),
        "Host": st.sampled_from(["testserver", "elsewhere.example"]),
    },
)
TYPES = st.sampled_from(["application/json"] * 4 + ["application/json; charset=utf-8", "text/plain", "application/jsonx", ""])
PATHS = st.sampled_from([ORDERS] * 4 + [ORDERS[:-1], f"{ORDERS}?format=json", f"{ORDERS}?x=1"])


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, body=ORDERED.map(lambda body: json.dumps(body).encode()) | WRITTEN, headers=HEADERS, type=TYPES)
def test_whatever_is_posted_both_ways_answer_and_write_alike(
    client: APIClient, path: str, body: bytes, headers: dict[str, str], type: str
) -> None:
    effects = []

    def ask() -> Any:
        answer = client.post(path, body, content_type=type, headers=headers)
        effects.append(written())
        return answer

    short, long = both(ask)

    assert told(short) == told(long)
    assert effects[0] == effects[1]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "monday-1"}])
def test_placing_an_order_takes_one_statement(carol: User, statements: list[str], only_short: None, headers: dict[str, str]) -> None:
    client = caller(carol)
    assert client.post(ORDERS, TEA).status_code == 201
    del statements[:]

    assert client.post(ORDERS, TEA, headers=headers).status_code == 201

    assert [statement.split()[0] for statement in statements] == ["WITH"]


def test_where_users_are_in_another_database_they_are_asked_for_first(
    carol: User, statements: list[str], only_short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "alias_of", lambda _: "elsewhere")
    client = caller(carol)
    for headers in ({}, {"Idempotency-Key": "monday-1"}):
        assert client.post(ORDERS, TEA, headers=headers).status_code == 201
        del statements[:]
        assert client.post(ORDERS, TEA).status_code == 201
        assert [statement.split()[0] for statement in statements] == ["SELECT", "WITH"], "who asks, and the order"


@pytest.mark.parametrize("home", ["default", "elsewhere"])
def test_a_token_that_is_revoked_expired_or_of_somebody_who_left_is_refused_at_once(
    carol: User, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "alias_of", lambda _: home)
    for spoil in (
        lambda: AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1)),
        lambda: AuthToken.objects.all().delete(),
        lambda: User.objects.update(is_active=False),
    ):
        client = caller(carol)
        assert client.post(ORDERS, TEA).status_code == 201
        spoil()
        before = Order.objects.count()

        refused(client.post(ORDERS, TEA), 401)
        refused(client.get(ORDERS), 401)

        assert Order.objects.count() == before


def test_a_price_that_was_changed_is_the_next_orders(carol: User) -> None:
    client = caller(carol)
    assert client.post(ORDERS, TEA).json()["total"] == "27.00"
    Product.objects.filter(sku="TEA-001").update(price=Decimal("8.00"))

    for _ in range(2):
        assert client.post(ORDERS, TEA, headers={"Idempotency-Key": "a"}).json()["total"] == "28.00"
    Product.objects.filter(sku="TEA-001").update(active=False)
    refused(client.post(ORDERS, TEA), 400, "/items/0/product", "unknown_product")

    assert Order.objects.count() == OutboxRow.objects.count() == 2


def test_when_the_database_goes_away_nobody_places_the_order_again(carol: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> bool:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(store, "place_guessed", gone)

    answer = caller(carol).post(ORDERS, TEA)

    refused(answer, 503)
    assert answer["Retry-After"]
    assert not Order.objects.exists()


def test_a_connection_that_was_closed_meanwhile_is_made_anew(committed: None) -> None:
    services.seed_catalogue()
    client = caller(user("carol"))
    assert client.post(ORDERS, TEA).status_code == 201
    with second_session() as other:
        cut(other, connections["default"].connection.info.backend_pid)

    assert client.post(ORDERS, TEA).status_code == 201
    assert Order.objects.count() == 2


def cut(session: "psycopg.Connection[Any]", pid: int) -> None:
    """Ends another session, and waits until it is gone."""
    session.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


# --- reading ---


def placed(person: User, count: int) -> None:
    for number in range(count):
        services.place_order(customer_id=person.pk, items=[("TEA-001", 1), ("MUG-001", 2)][: 1 + number % 2], now=timezone.now())


def pages(client: APIClient) -> Iterator[dict[str, Any]]:
    """All pages, from the first to the last and back."""
    address: str | None = ORDERS
    for turn in ("next", "previous"):
        while address:
            page: dict[str, Any] = client.get(address).json()
            yield page
            address, last = page[turn], address
        address = last


def test_a_page_takes_two_statements(carol: User, statements: list[str], only_short: None) -> None:
    placed(carol, 120)
    client = caller(carol)
    del statements[:]

    page = client.get(client.get(ORDERS).json()["next"]).json()

    assert len(page["results"]) == 50
    assert [statement.split()[0] for statement in statements] == ["SELECT", "WITH"] * 2


def test_all_pages_are_those_of_the_long_way(carol: User) -> None:
    placed(user("dave"), 2)
    for count in (0, 1, 50, 51, 101):
        placed(carol, count)
        client = caller(carol)
        short = list(pages(client))
        with the_long_way():
            assert short == list(pages(client))


@pytest.mark.parametrize(
    "query", ["", "?", "?cursor=", "?cursor=x", "?cursor=cD0x", "?page_size=1", "?status=paid", "?format=json", "?cursor=cj0x"]
)
@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/xml"])
def test_whatever_is_asked_both_ways_answer_alike(carol: User, query: str, accept: str) -> None:
    placed(carol, 3)
    Order.objects.filter(id=Order.objects.latest("id").id).update(paid_at=timezone.now(), sweep_from=None)
    client = caller(carol)

    short, long = both(lambda: client.get(ORDERS + query, headers={"Accept": accept}))

    assert told(short) == told(long)
    assert short.content == long.content


def test_staff_sees_everybodys(carol: User) -> None:
    placed(carol, 2)
    assert len(caller(user("staff", staff=True)).get(ORDERS).json()["results"]) == 2
