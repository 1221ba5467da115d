"""The `cloudevents` package reads what the shop writes, and the shop reads what the package writes."""

import json

import msgspec
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings import kafka
from cloudevents.core.bindings.kafka import KafkaMessage
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from kafka_shop.messaging.envelope import Envelope, from_json, from_kafka, seal, to_json, to_kafka
from kafka_shop.messaging.events import Event
from tests.contracts.strategies import BY_TYPE, TYPES, events

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
traces = st.sampled_from(["", TRACE])


def attributes(event: Event, traceparent: str) -> dict[str, object]:
    """What contract and specification say of an event, for the package."""
    known = {
        "specversion": "1.0",
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": str(event.order_id),
        "time": event.time,
        "partitionkey": str(event.customer_id),
        "datacontenttype": "application/json",
    }
    return known | ({"traceparent": traceparent} if traceparent else {})


def data(event: Event) -> dict[str, object]:
    """The event's data as any JSON reader sees it."""
    content: dict[str, object] = json.loads(msgspec.json.encode(event))
    return content


def assert_same(found: BaseCloudEvent, event: Event, traceparent: str) -> None:
    assert found.get_attributes() == attributes(event, traceparent)
    assert found.get_data() == data(event)


def assert_read(envelope: Envelope, event: Event, traceparent: str) -> None:
    sealed = seal(event, traceparent)
    assert msgspec.structs.replace(envelope, data=sealed.data) == sealed
    assert msgspec.json.decode(envelope.data, type=type(event)) == event


@given(events, traces)
def test_the_package_reads_the_shops_kafka_messages(event: Event, traceparent: str) -> None:
    headers, value = to_kafka(seal(event, traceparent))

    assert_same(kafka.from_kafka(KafkaMessage(dict(headers), str(event.customer_id), value), JSONFormat()), event, traceparent)


@given(events, traces)
def test_the_shop_reads_the_packages_kafka_messages(event: Event, traceparent: str) -> None:
    message = kafka.to_binary_event(CloudEvent(attributes(event, traceparent), data(event)))

    assert_read(from_kafka(list(message.headers.items()), message.value), event, traceparent)
    assert message.key == str(event.customer_id)


@given(events, traces)
def test_the_package_reads_the_shops_json(event: Event, traceparent: str) -> None:
    assert_same(JSONFormat().read(None, to_json(seal(event, traceparent))), event, traceparent)


@given(events, traces)
def test_the_shop_reads_the_packages_json(event: Event, traceparent: str) -> None:
    content = JSONFormat().write(CloudEvent(attributes(event, traceparent), data(event)))

    assert_read(from_json(content), event, traceparent)


def test_every_event_type_takes_part_in_these_tests() -> None:
    assert set(BY_TYPE) == set(TYPES)
