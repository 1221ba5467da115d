"""Reading never raises: what cannot be decoded comes back refused, with a reason that holds nothing of the content."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.reading import LARGEST_MESSAGE_BYTES, OVER_HTTP, Item, Reader, family
from consumers.tests.stubs import raw
from kafka_shop.messaging.envelope import Headers
from orders.events import OrderPlaced, OrderSettled

READER = Reader({OrderPlaced.type: OrderPlaced, OrderSettled.type: OrderSettled})
SETTLED: dict[str, Any] = {
    "order_id": str(uuid4()),
    "customer_id": str(uuid4()),
    "outcome": "paid",
    "amount": "10.00",
    "currency": "EUR",
    "settled_at": "2026-01-31T09:00:00Z",
}


def headers(**changes: str) -> Headers:
    attributes = {"specversion": "1.0", "id": "a", "type": OrderSettled.type, "source": "/orders", "time": "2026-01-31T09:00:00Z"}
    return [(f"ce_{name}", value.encode()) for name, value in (attributes | changes).items()]


def settled(**changes: Any) -> bytes:
    return json.dumps(SETTLED | changes).encode()


def read(value: bytes | None, **changes: str) -> Item:
    return READER.read(raw(5, headers(**changes), value))


def refused(item: Item) -> bool:
    return item.event is None and item.refusal.startswith("unreadable: ")


def test_a_known_event_is_decoded() -> None:
    item = read(settled())

    assert isinstance(item.event, OrderSettled) and item.event.outcome == "paid"
    assert item.refusal == "" and item.envelope is not None and item.record.offset == 5


def test_unknown_fields_and_headers_are_passed_over() -> None:
    record = raw(0, [*headers(), ("ce_future", b"1"), ("x-trace", b"\xff\xfe")], settled(future={"a": [1]}))

    assert isinstance(READER.read(record).event, OrderSettled)


def test_a_foreign_type_is_neither_event_nor_refusal() -> None:
    item = read(b"not even JSON", type="somebody.elses.event.v1")

    assert item.event is None and item.refusal == "" and item.envelope is not None


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"time": None}, b"{}"),
        ({"time": "noon"}, b"{}"),
        ({"id": None}, b"{}"),
        ({"specversion": "0.3"}, b"{}"),
        ({"subject": "x" * 501}, b"{}"),
        ({}, None),
        ({}, b"x" * (LARGEST_MESSAGE_BYTES + 1)),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/avro", "\x00"])
def test_a_foreign_type_is_passed_over_whatever_the_rest_looks_like(
    changes: dict[str, str | None], value: bytes | None, content_type: str
) -> None:
    given = dict(headers(type="somebody.elses.event")) | {f"ce_{name}": text and text.encode() for name, text in changes.items()}
    item = READER.read(raw(0, [(name, text) for name, text in given.items() if text] + [("content-type", content_type.encode())], value))

    assert item.event is None and item.refusal == ""


@pytest.mark.parametrize("event", [b'{"type":"somebody.elses.event"}', b'{"specversion":"0.3","type":"somebody.elses.event","data":1}'])
def test_a_foreign_type_is_passed_over_in_json_too(event: bytes) -> None:
    item = READER.read(raw(0, [], event, OVER_HTTP))

    assert item.event is None and item.refusal == ""


@pytest.mark.parametrize("event", [b"{}", b'{"type":""}', b'{"type":7}', b"[", b"\xff"])
def test_what_tells_no_type_is_refused(event: bytes) -> None:
    assert refused(READER.read(raw(0, [], event, OVER_HTTP)))
    assert refused(READER.read(raw(0, [("ce_type", b"")], event)))


@pytest.mark.parametrize("version", ["v2", "v10", "v0", "v1.1"])
def test_another_version_of_a_known_type_is_refused_by_name(version: str) -> None:
    item = read(settled(), type=f"shop.order.settled.{version}")

    assert item.refusal == f"unreadable: shop.order.settled.{version} is a version that this consumer does not know"
    assert item.event is None


def test_the_family_of_a_type_is_its_name_without_the_version() -> None:
    assert [family(type) for type in ("shop.order.placed.v1", "shop.order.placed.v22", "plain")] == ["shop.order.placed"] * 2 + ["plain"]


def test_no_headers_at_all_are_refused() -> None:
    assert refused(READER.read(raw(0, [], settled())))


@pytest.mark.parametrize("name", ["id", "type", "source", "specversion", "time"])
def test_a_missing_header_is_named(name: str) -> None:
    item = READER.read(raw(0, [header for header in headers() if header[0] != f"ce_{name}"], settled()))

    assert refused(item) and f"ce_{name}" in item.refusal and item.envelope is None


def test_a_tombstone_is_refused() -> None:
    assert read(None).refusal == "unreadable: the message has no value"


def test_an_oversized_message_is_refused_and_keeps_its_id() -> None:
    item = read(settled(reason="x" * LARGEST_MESSAGE_BYTES))

    assert refused(item) and "1048576 bytes" in item.refusal
    assert item.envelope is not None and item.envelope.id == "a"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"future":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        settled().replace(b"EUR", b"\xff\xff\xff"),
        settled(currency="\ud800"),
        b"null",
        b"[]",
        b"{}",
        settled(order_id="secret"),
        settled(amount="secret"),
        settled(amount=[]),
        settled(amount="1" * 5_000 + "x"),
        settled(settled_at="secret"),
        settled(settled_at=10**40),
        settled(settled_at="2026-13-41T25:61:61Z"),
        settled(outcome="secret"),
        settled(outcome="secret - at `$.secret`"),
        settled(outcome="\nsecret"),
    ],
)
def test_what_does_not_fit_is_refused_without_its_content(value: bytes) -> None:
    item = read(value)

    assert refused(item)
    assert "secret" not in item.refusal and "\n" not in item.refusal and len(item.refusal) < 200


@pytest.mark.parametrize("quantity", ["9" * 5_000, "1e400", "-1e400", "1.5", '"1"'])
def test_a_number_that_is_none_is_refused(quantity: str) -> None:
    item = f'{{"product":"a","price":"1","quantity":{quantity}}}'
    placed = {**SETTLED, "placed_at": SETTLED["settled_at"], "items": []}

    assert refused(read(json.dumps(placed).replace("[]", f"[{item}]").encode(), type=OrderPlaced.type))


def test_the_refusal_names_the_field_and_what_it_should_have_been() -> None:
    assert read(settled(outcome="secret")).refusal == (
        "unreadable: the data does not fit shop.order.settled.v1: Invalid enum value - at `$.outcome`"
    )
    assert read(settled(currency=1)).refusal.endswith("Expected `str` - at `$.currency`")


@pytest.mark.parametrize("place", ["id", "type", "subject", "traceparent"])
@pytest.mark.parametrize("text", ["a\0b", "a\nb", "a\x85b", "x" * 501])
def test_names_that_no_table_can_keep_are_refused(place: str, text: str) -> None:
    item = read(settled(), **{place: OrderSettled.type + text})

    assert refused(item) and item.envelope is None


def test_names_in_any_language_are_kept() -> None:
    item = read(settled(), subject="заказ № 1 👩\u200d🚀\u00a0")

    assert item.event is not None and item.envelope is not None and item.envelope.subject == "заказ № 1 👩\u200d🚀\u00a0"


@pytest.mark.parametrize("text", ["yesterday", "", "2026-01-31T09:00:00", "2026-01-31"])
def test_a_time_without_zone_or_sense_is_refused(text: str) -> None:
    assert refused(read(settled(), time=text))


names = st.sampled_from([name for name, _ in headers()] + ["content-type", "ce_subject", "x"])
bytes_or_none = st.none() | st.binary(max_size=30) | st.sampled_from([value for _, value in headers()])


@given(st.lists(st.tuples(names, bytes_or_none), max_size=12), st.none() | st.binary(max_size=200))
def test_any_headers_and_any_bytes_are_read_without_an_error(headers: list[tuple[str, bytes]], value: bytes | None) -> None:
    item = READER.read(raw(0, headers, value))

    assert item.event is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(list(SETTLED.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(SETTLED)), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*SETTLED, "future"]), json_values, max_size=6))
def test_any_json_is_an_event_or_refused(changes: dict[str, Any]) -> None:
    item = read(settled(**changes))

    assert (item.event is None) == refused(item)
