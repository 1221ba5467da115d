"""Frozen samples: a message of every event version that was ever published decodes for ever.

`samples/<type>.json` is the value and `samples/<type>.headers.json` the headers of one message as it lay in its topic. A sample is never
changed: a new version of an event brings a new one, and its line in EXPECTED.
"""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from billing.events import InvoiceRefunded, InvoiceSettled
from consumers.reading import Reader
from consumers.routes import ROUTES
from kafka_shop.messaging.envelope import Headers, seal, to_kafka
from kafka_shop.messaging.events import Event
from kafka_shop.messaging.kafka import Record
from orders.events import Item, OrderCancelled, OrderPlaced, OrderSettled
from tests.contracts.strategies import TYPES

SAMPLES = Path(__file__).parent / "samples"
ORDER = UUID("019c1363-5b80-7a4e-8c1f-3d2b6a7f9e01")
CUSTOMER = UUID("019c1363-0d20-7b11-9f2a-51c0de9b4a02")
INVOICE = UUID("019c1363-5c10-7c3d-a6b7-0f1e2d3c4b03")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PRICE = Decimal("59.97")


def second(number: int) -> datetime:
    return datetime(2026, 1, 31, 9, 0, number, 250_000, tzinfo=UTC)


EXPECTED: dict[str, Event] = {
    "shop.order.placed.v1": OrderPlaced(
        order_id=ORDER,
        customer_id=CUSTOMER,
        amount=PRICE,
        currency="EUR",
        items=(Item("tea-green", 2, Decimal("19.99")), Item("чайник", 1, Decimal("19.99"))),
        placed_at=second(0),
    ),
    "shop.order.cancelled.v1": OrderCancelled(order_id=ORDER, customer_id=CUSTOMER, cancelled_at=second(5)),
    "shop.order.settled.v1": OrderSettled(
        order_id=ORDER,
        customer_id=CUSTOMER,
        outcome="rejected",
        amount=PRICE,
        currency="EUR",
        reason="insufficient_funds",
        settled_at=second(1),
    ),
    "shop.invoice.settled.v1": InvoiceSettled(
        order_id=ORDER,
        customer_id=CUSTOMER,
        invoice_id=INVOICE,
        amount=PRICE,
        currency="EUR",
        outcome="declined",
        reason="insufficient_funds",
        settled_at=second(1),
    ),
    "shop.invoice.refunded.v1": InvoiceRefunded(
        order_id=ORDER, customer_id=CUSTOMER, invoice_id=INVOICE, amount=PRICE, currency="EUR", refunded_at=second(6)
    ),
}

# The contract's table of events: (id, source, destination).
CONTRACT = {
    "shop.order.placed.v1": (f"order.placed:{ORDER}", "/orders", "order-topic"),
    "shop.order.cancelled.v1": (f"order.cancelled:{ORDER}", "/orders", "order-topic"),
    "shop.invoice.settled.v1": (f"invoice.settled:{ORDER}", "/billing", "billing-topic"),
    "shop.invoice.refunded.v1": (f"invoice.refunded:{ORDER}", "/billing", "billing-topic"),
    "shop.order.settled.v1": (f"order.settled:{ORDER}:rejected", "/orders", "notify-topic"),
}

every_sample = pytest.mark.parametrize("type", sorted(EXPECTED))


def headers_of(type: str) -> Headers:
    return [(name, value.encode()) for name, value in json.loads((SAMPLES / f"{type}.headers.json").read_text()).items()]


def sample(type: str) -> Record:
    headers, value = headers_of(type), (SAMPLES / f"{type}.json").read_bytes()
    return Record("topic", 0, 0, 0, str(CUSTOMER).encode(), [*headers], value)


def test_every_event_type_has_a_sample_and_every_sample_is_expected() -> None:
    values = {path.name.removesuffix(".json") for path in SAMPLES.glob("*.json") if not path.name.endswith(".headers.json")}

    assert {kind.type for kind in TYPES} <= values, "a new event type needs a sample and its line in EXPECTED"
    assert values == set(EXPECTED) == {path.name.removesuffix(".headers.json") for path in SAMPLES.glob("*.headers.json")}


@every_sample
def test_a_sample_decodes_to_the_same_fields_for_ever(type: str) -> None:
    item = Reader({kind.type: kind for kind in TYPES}).read(sample(type))

    assert item.refusal == ""
    assert item.event == EXPECTED[type]


@every_sample
def test_a_time_without_its_zone_is_refused(type: str) -> None:
    naive, changes = re.subn(rb'(_at":"[^"]+)Z"', rb'\1"', sample(type).value or b"")
    item = Reader({kind.type: kind for kind in TYPES}).read(sample(type)._replace(value=naive))

    assert changes == 1
    assert item.event is None and "timezone" in item.refusal


@every_sample
def test_the_envelope_of_a_sample_is_that_of_the_contract(type: str) -> None:
    item = Reader({kind.type: kind for kind in TYPES}).read(sample(type))

    assert item.envelope == msgspec.structs.replace(seal(EXPECTED[type], TRACE), data=msgspec.Raw(sample(type).value or b""))
    id, source, destination = CONTRACT[type]
    assert (item.envelope.id, item.envelope.source, EXPECTED[type].destination) == (id, source, destination)
    assert (item.envelope.subject, item.envelope.partitionkey) == (str(ORDER), str(CUSTOMER))


@every_sample
def test_what_is_written_today_still_says_what_readers_of_the_sample_know(type: str) -> None:
    headers, value = to_kafka(seal(EXPECTED[type], TRACE))

    assert json.loads(sample(type).value or b"").items() <= json.loads(value).items()
    assert set(headers_of(type)) <= set(headers)


@every_sample
def test_a_consumer_of_the_type_reads_its_topic(type: str) -> None:
    topics = {route.topic for route in ROUTES.values() if any(kind.type == type for kind in route.handlers)}

    assert topics == {EXPECTED[type].destination}
