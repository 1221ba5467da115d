"""Input that other programs would guess, round or drop is refused, with a pointer to its place, and nothing happens."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.users.models import User
from tests.bodies import BODIES, Things, counts, routes_with_bodies, unknown_id

JSON = "application/json"
MEBIBYTE = 1024 * 1024
NESTED = '{"a":' * 31 + "[1]" + "}" * 31  # 32 levels
FIELDS = [(route, field) for route, body in BODIES.items() for field in body]
LISTS = {
    "billing/accounts/": [],
    "billing/accounts/<uuid:pk>/transfers/": [],
    "billing/invoices/": ["order_id", "status"],
    "orders/": ["status", "placed_after", "placed_before"],
    "orders/products/": [],
    "notify/notifications/": ["order_id", "outcome", "created_after", "created_before"],
}
NO_VALUES: list[Any] = [None, True, 1, 1.0, 1e2, {}, {"a": 1}, [], ""]
NO_TEXTS = ["\u0661", "1e2", "1.001", "1000000000", "-1.00", " 1", "1 "]
NO_PARAMETERS = ["", "\0", "x", "\u0661", "-1", "1.0", "1e1", "null", "true", "[]", "\ud7ff", "0" * 5000, "2026-01-31T12:00:00", "%"]
PARAMETERS = [(route, name) for route, filters in LISTS.items() for name in ("page_size", "cursor", *filters)]


@pytest.fixture
def carol(db: None) -> APIClient:
    """A customer who may mend what is broken, too: every path with a body is hers."""
    carol = user("carol", staff=True)
    carol.user_permissions.set(Permission.objects.filter(content_type__app_label="consumers"))
    return caller(carol)


@pytest.fixture
def things(carol: APIClient) -> Things:
    """What carol has."""
    return Things(User.objects.get(username="carol"))


def test_every_path_that_takes_a_body_is_tried_here() -> None:
    assert routes_with_bodies() == set(BODIES)


@pytest.mark.parametrize(
    ("content", "pointer", "code"),
    [
        (b" ", "", "parse_error"),
        (b"{", "", "parse_error"),
        (b"{} {}", "", "parse_error"),
        (b"{'a': 1}", "", "parse_error"),
        (b'{"a": 1,}', "", "parse_error"),
        (b'{"a": 01}', "", "parse_error"),
        (b'{"a": +1}', "", "parse_error"),
        (b'{"a": .5}', "", "parse_error"),
        (b'{"a": "\n"}', "", "parse_error"),
        (b"// nothing\n{}", "", "parse_error"),
        (b"\xef\xbb\xbf{}", "", "parse_error"),
        ("{}".encode("utf-16"), "", "parse_error"),
        (b'{"a": "\xff"}', "", "parse_error"),
        (b'{"a": "\xed\xa0\x80"}', "", "parse_error"),
        (b"[" * 100_000, "", "parse_error"),
        (b"[" * 100_000 + b"]" * 100_000, "", "parse_error"),
        (b"null", "", ""),
        (b"true", "", ""),
        (b"1", "", ""),
        (b'"x"', "", ""),
        (b"[]", "", ""),
        (b"[{}]", "", ""),
        (b"NaN", "", "not_a_number"),
        (b'{"a": NaN}', "/a", "not_a_number"),
        (b'{"a": [0, {"b/c~": -Infinity}]}', "/a/1/b~1c~0", "not_a_number"),
        (b'{"a": 1e999}', "/a", "number_too_large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "/a", "number_too_large"),
        (b'{"a": 1, "a": 1}', "/a", "duplicate"),
        (b'{"a": [{"b": 1, "b": 2}]}', "/a/0/b", "duplicate"),
        (b'{"a": "\\u0000"}', "/a", "null_characters_not_allowed"),
        (b'{"a": "\\ud800"}', "/a", "surrogate_characters_not_allowed"),
        (b'{"\\udfff": 1}', "/?", "surrogate_characters_not_allowed"),
        (f'{{"a": {NESTED}}}'.encode(), "/a" * 32, "too_deep"),
        (NESTED.encode(), "/a", "unknown"),
        (b'{"surprise": 1}', "/surprise", "unknown"),
        (b'{"non_field_errors": 1}', "/non_field_errors", "unknown"),
        (b'{"": 1}', "/", "unknown"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_strict_json_object_does_nothing(content: Any, pointer: str, code: str, carol: APIClient, things: Things) -> None:
    before = counts()
    for route in BODIES:
        refused(carol.generic("POST", things.path(route), content, content_type=JSON), 400, pointer, code)
    assert counts() == before


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/json",
        "application/xml",
        "application/*",
        "*/*",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/merge-patch+json",
        "nonsense",
        ";",
    ],
)
def test_only_json_in_utf_8_is_read(content_type: str, carol: APIClient, things: Things) -> None:
    before = counts()
    for route, body in BODIES.items():
        answer = carol.generic("POST", things.path(route), json.dumps(body), content_type=content_type)
        refused(answer, 415, code="unsupported_media_type")
    assert counts() == before


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "GZIP", "identity, gzip", "x"])
def test_no_compressed_body_is_read(coding: str, carol: APIClient, things: Things) -> None:
    before = counts()
    for route, body in BODIES.items():
        answer = carol.post(things.path(route), body, headers={"Content-Encoding": coding})
        refused(answer, 415)
        assert answer["Accept-Encoding"] == "identity"
    assert counts() == before


@pytest.mark.parametrize("route", BODIES)
def test_a_body_of_a_mebibyte_is_read_of_many_orders_five_and_no_larger_one(route: str, carol: APIClient, things: Things) -> None:
    path, before = things.path(route), counts()
    body = '{"a": 1}'.ljust(5 * MEBIBYTE if route == "orders/bulk/" else MEBIBYTE)
    refused(carol.generic("POST", path, body, content_type=JSON), 400, "/a", "unknown")
    refused(carol.generic("POST", path, body + " ", content_type=JSON), 413, code="content_too_large")
    assert counts() == before


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8", 'application/json; charset="UTF-8"', "APPLICATION/JSON"])
def test_json_may_say_that_it_is_utf_8(content_type: str, carol: APIClient, things: Things) -> None:
    response = carol.generic("POST", things.path("orders/"), json.dumps(BODIES["orders/"]), content_type=content_type)
    assert response.status_code == 201


@pytest.mark.parametrize(("route", "field"), FIELDS)
def test_no_field_takes_what_only_looks_like_its_value(route: str, field: str, carol: APIClient, things: Things) -> None:
    before = counts()
    for value in NO_VALUES if field in {"username", "password", "reason"} else [*NO_VALUES, *NO_TEXTS]:
        refused(carol.post(things.path(route), BODIES[route] | {field: value}), 400, f"/{field}")
    assert counts() == before


@pytest.mark.parametrize(("route", "field"), FIELDS)
def test_a_field_that_is_needed_is_missed(route: str, field: str, carol: APIClient, things: Things) -> None:
    body = {name: value for name, value in BODIES[route].items() if name != field}
    if field == "currency":
        return  # the shop's own is taken
    refused(carol.post(things.path(route), body), 400, f"/{field}", "required")


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"product": "tea", "quantity": "1"}, "/items/1/quantity"),
        ({"product": "tea", "quantity": 1.0}, "/items/1/quantity"),
        ({"product": "tea", "quantity": True}, "/items/1/quantity"),
        ({"product": "tea", "quantity": None}, "/items/1/quantity"),
        ({"product": "tea", "quantity": 0}, "/items/1/quantity"),
        ({"product": "tea", "quantity": 10_001}, "/items/1/quantity"),
        ({"product": "tea", "quantity": 10**18}, "/items/1/quantity"),
        ({"product": "tea", "quantity": 10**30}, "/items/1/quantity"),
        ({"product": "tea"}, "/items/1/quantity"),
        ({"product": 5, "quantity": 1}, "/items/1/product"),
        ({"product": ["tea"], "quantity": 1}, "/items/1/product"),
        ({"product": "x" * 41, "quantity": 1}, "/items/1/product"),
        ({"product": "unknown", "quantity": 1}, "/items/1/product"),
        ({"product": "tea ", "quantity": 1}, "/items/1/product"),
        ({"product": "tea", "quantity": 1, "price": "0.01"}, "/items/1/price"),
        (None, "/items/1"),
        ([], "/items/1"),
        ("tea", "/items/1"),
    ],
)
def test_an_item_is_pointed_to_by_its_place(item: Any, pointer: str, carol: APIClient, things: Things) -> None:
    before = counts()
    refused(carol.post(things.path("orders/"), {"items": [{"product": "tea", "quantity": 1}, item]}), 400, pointer)
    assert counts() == before


def test_an_order_of_many_is_pointed_to_by_its_place(carol: APIClient, things: Things) -> None:
    item = {"product": "tea", "quantity": 1}
    orders: list[Any] = [
        {"items": [item]},
        {"items": [item, {"product": "tea", "quantity": 1.0}]},
        None,
        "x",
        [],
        {"items": [item], "a": 1},
    ]
    answer = carol.post(things.path("orders/bulk/"), {"orders": orders})
    pointers = [[error["pointer"] for error in result.get("errors", [])] for result in answer.json()["results"]]
    assert pointers == [[], ["/orders/1/items/1/quantity"], ["/orders/2"], ["/orders/3"], ["/orders/4"], ["/orders/5/a"]]


@pytest.mark.parametrize(("route", "name"), PARAMETERS)
def test_a_query_parameter_that_means_nothing_is_400(route: str, name: str, carol: APIClient, things: Things) -> None:
    for value in NO_PARAMETERS:
        refused(carol.get(things.path(route), {name: value}), 400, f"/{name}")


@pytest.mark.parametrize(("route", "name"), PARAMETERS)
def test_a_query_parameter_is_given_once(route: str, name: str, carol: APIClient, things: Things) -> None:
    refused(carol.get(things.path(route), {name: ["1", "1"]}), 400, f"/{name}", "repeated")


@pytest.mark.parametrize("name", ["page", "limit", "Status", "", "a/b", "\0"])
def test_no_other_query_parameter_is_known(name: str, carol: APIClient, things: Things) -> None:
    for route in LISTS:
        refused(carol.get(things.path(route), {name: "1"}), 400, "/" + name.replace("/", "~1"), "unknown")


@pytest.mark.parametrize("query", ["%ff=1", "status=%ff", "%00", "cursor=%ff%fe", "&&&=&", "a;b"])
def test_a_query_that_is_no_text_is_400(query: str, carol: APIClient, things: Things) -> None:
    assert carol.get(f"/api/v1/orders/?{query}").status_code == 400


@pytest.mark.parametrize(
    "moment",
    [
        "2026-01-31",
        "12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00+25:00",
        "0000-01-01T00:00:00Z",
        "99999-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-01-31T12:00:00 01:00",
        " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z\n",
        "1769860800",
        "now",
        "infinity",
        "-infinity",
    ],
)
@pytest.mark.parametrize("name", ["placed_after", "placed_before"])
def test_a_naive_or_absurd_time_is_400(name: str, moment: str, carol: APIClient) -> None:
    refused(carol.get("/api/v1/orders/", {name: moment}), 400, f"/{name}")


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-01-31T12:00:00.5+14:00", "2026-01-31t12:00:00z"]
)
def test_a_time_of_any_year_is_one(moment: str, carol: APIClient) -> None:
    assert carol.get("/api/v1/orders/", {"placed_after": moment}).status_code == 200


@pytest.mark.parametrize("format", ["xml", "JSON", "", "\0"])
def test_a_format_that_there_is_not_is_400(format: str, carol: APIClient) -> None:
    refused(carol.get("/api/v1/orders/", {"format": format}), 400, "/format")


ID_ROUTES = ["billing/accounts/{}/", "billing/accounts/{}/transfers/", "billing/invoices/{}/", "orders/{}/"]
ID_POSTS = ["billing/accounts/{}/deposits/", "billing/invoices/{}/pay/", "orders/{}/cancel/", "notify/notifications/{}/read/"]
NO_IDS = ["x", "1", "%00", "%ff", "..", "null", "{unknown}", "0" * 32, "0" * 5000, "00000000-0000-0000-0000-00000000000G", "a b", "\u0661"]


@pytest.mark.parametrize("route", [*ID_ROUTES, *ID_POSTS])
def test_an_id_that_there_is_not_is_404(route: str, carol: APIClient) -> None:
    for id in [*NO_IDS, unknown_id()]:
        path = "/api/v1/" + route.format(id)
        body = {"amount": "1.00"} if "deposits" in route else {}
        refused(carol.post(path, body) if route in ID_POSTS else carol.get(path), 404)


@pytest.mark.parametrize("header", ["", ";", "application/json;q=x", "text/html;level=\xff", "*", "/", "application/json" * 1000])
def test_no_accept_header_breaks_anything(header: str, carol: APIClient) -> None:
    assert carol.get("/api/v1/orders/", headers={"Accept": header}).status_code in {200, 406}
