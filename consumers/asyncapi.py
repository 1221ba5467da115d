"""The events as an AsyncAPI 3.0 document and as JSON Schemas, made from the types and the map of consumers. Nothing is said twice."""

from collections.abc import Iterator
from typing import Any

import msgspec

from consumers.routes import PUBLISHERS, ROUTES
from kafka_shop.messaging.envelope import CONTENT_TYPE
from kafka_shop.messaging.events import Event

Document = dict[str, Any]

AMOUNT = {"type": "string", "pattern": r"^[0-9]{1,9}\.[0-9]{2}$", "description": "In major units."}
HEADERS = {
    "ce_specversion": ("1.0", "The version of CloudEvents."),
    "ce_id": ("", "The natural id of the fact: the same wherever it is made again."),
    "ce_type": ("", "The type with its version."),
    "ce_source": ("", "The service that states the fact."),
    "ce_subject": ("", "The order."),
    "ce_time": ("", "When the fact happened, RFC 3339 in UTC."),
    "ce_partitionkey": ("", "The customer, as the message's key."),
    "ce_traceparent": ("", "W3C Trace Context, when there is one."),
    "content-type": (CONTENT_TYPE, ""),
}
OPTIONAL = {"ce_traceparent"}


def events() -> list[type[Event]]:
    """Every type of event, in the order of the map."""
    return [kind for route in ROUTES.values() for kind in route.handlers]


def document() -> Document:
    """The AsyncAPI document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "kafka_shop: events",
            "version": "1",
            "description": "CloudEvents 1.0 in the Kafka binding's binary mode. The message key is the customer's id. "
            "A fact may come more than once, under the same id. Readers accept unknown fields.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic: channel(topic) for topic in PUBLISHERS},
        "operations": dict(operations()),
        "components": {"messages": {kind.type: message(kind) for kind in events()}},
    }


def channel(topic: str) -> Document:
    return {"address": topic, "messages": {kind.type: ref("components", "messages", kind.type) for kind in of(topic)}}


def operations() -> Iterator[tuple[str, Document]]:
    """What each service sends, and what each receives."""
    for topic, service in PUBLISHERS.items():
        yield f"{service}.sends.{topic}", operation("send", service, topic, of(topic))
    for service, route in ROUTES.items():
        yield f"{service}.receives.{route.topic}", operation("receive", service, route.topic, list(route.handlers))


def operation(action: str, service: str, topic: str, kinds: list[type[Event]]) -> Document:
    messages = [ref("channels", topic, "messages", kind.type) for kind in kinds]
    return {"action": action, "title": service, "channel": ref("channels", topic), "messages": messages}


def message(kind: type[Event]) -> Document:
    """One type of event, as it lies in its topic."""
    return {"name": kind.type, "title": kind.__name__, "contentType": CONTENT_TYPE, "headers": headers(kind), "payload": schema(kind)}


def headers(kind: type[Event]) -> Document:
    fixed = {"ce_type": kind.type, "ce_source": kind.source}
    properties = {name: header(fixed.get(name, value), description) for name, (value, description) in HEADERS.items()}
    return {"type": "object", "required": [name for name in properties if name not in OPTIONAL], "properties": properties}


def header(value: str, description: str) -> Document:
    return {"type": "string", **({"const": value} if value else {}), **({"description": description} if description else {})}


def schema(kind: type[Event]) -> Document:
    """The JSON Schema (2020-12) of an event's data, in one piece."""
    (own,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    found: Document = inlined(parts[own["$ref"]], parts)
    return found


def inlined(part: Any, parts: Document) -> Any:
    """A schema with its parts in their places; amounts as they are written."""
    if isinstance(part, list):
        return [inlined(each, parts) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return inlined(parts[part["$ref"]], parts)
    if part.get("format") == "decimal":
        return AMOUNT
    return {name: inlined(value, parts) for name, value in part.items()}


def of(topic: str) -> list[type[Event]]:
    """The types that go to a topic."""
    return [kind for kind in events() if kind.destination == topic]


def ref(*path: str) -> Document:
    return {"$ref": "#/" + "/".join(path)}
