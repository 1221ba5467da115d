"""`/docs/events/`: the events for people, and the AsyncAPI document that the page shows."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from consumers import asyncapi
from consumers.asyncapi import Document
from consumers.routes import PUBLISHERS, READERS
from kafka_shop.messaging.events import Event


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Every topic with its messages, their headers and their data."""
    topics = [
        {"name": topic, "publisher": service, "readers": READERS[topic], "messages": [described(kind) for kind in asyncapi.of(topic)]}
        for topic, service in PUBLISHERS.items()
    ]
    return render(request, "consumers/events.html", {"topics": topics, "description": asyncapi.document()["info"]["description"]})


def described(kind: type[Event]) -> dict[str, Any]:
    """One type of event for its part of the page."""
    data = asyncapi.schema(kind)
    return {
        "name": kind.type,
        "description": data.get("description", ""),
        "data": [row for name in data["properties"] for row in rows(name, data)],
        "headers": [row for name in asyncapi.HEADERS for row in rows(name, asyncapi.headers(kind))],
    }


def rows(name: str, schema: Document, prefix: str = "") -> Iterator[dict[str, Any]]:
    """A line of the table for a field, and below a list of objects one for each of their fields."""
    field = schema["properties"][name]
    inner = field.get("items", {})
    yield {
        "name": prefix + name,
        "type": ", ".join(part for part in (field.get("type", "one of"), field.get("format")) if part),
        "required": name in schema["required"],
        "values": [*field.get("enum", []), *([field["const"]] if "const" in field else [])],
        "description": field.get("description", ""),
    }
    for part in inner.get("properties", {}):
        yield from rows(part, inner, f"{prefix}{name}[].")


@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """The AsyncAPI document."""
    return JsonResponse(asyncapi.document(), json_dumps_params={"indent": 2})


urlpatterns = [
    path("", events, name="events"),
    path("asyncapi.json", document, name="asyncapi"),
]
