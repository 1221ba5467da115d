"""`{service}/events/`: what one service sends another over HTTP. The engine's own endpoint, so that no service imports the engine."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, cast

import msgspec
from django.conf import settings
from django.urls import path
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from consumers.receiving import SendAgain, receive
from kafka_shop.api.authentication import BearerAuthentication, carries

MOST_EVENTS = 1000

_list = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Sibling:
    """Whoever holds the service token."""

    is_authenticated, is_staff, pk = True, False, None


class ServiceAuthentication(BaseAuthentication):
    """`Authorization: Bearer <SERVICE_TOKEN>`, compared in constant time."""

    def authenticate(self, request: Request) -> tuple[Sibling, None] | None:
        return (Sibling(), None) if carries(request, settings.SERVICE_TOKEN) else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsSibling(BasePermission):
    """Services only; users, staff included, are refused."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Sibling)


class TooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = f"At most {MOST_EVENTS} events a request."
    default_code = "too_large"


class Unapplied(APIException):
    """The events must be sent again."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "send_again"

    def __init__(self, refusal: SendAgain) -> None:
        super().__init__(str(refusal))
        self.wait = refusal.wait  # seconds, for Retry-After


class CloudEventsParser(BaseParser):
    """The batched JSON format of CloudEvents 1.0: an array of events, each left as it came."""

    media_type = "application/cloudevents-batch+json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return self.events(stream.read())

    def events(self, body: bytes) -> list[bytes]:
        return [bytes(event) for event in decoded(_list, body)]


class CloudEventParser(CloudEventsParser):
    """The JSON format of CloudEvents 1.0: one event."""

    media_type = "application/cloudevents+json"

    def events(self, body: bytes) -> list[bytes]:
        decoded(_object, body)
        return [body]


def decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """The body's JSON. Raises ParseError."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError("The body is not the JSON that its Content-Type promises.") from error


CLOUD_EVENT = {
    "type": "object",
    "description": "A CloudEvent 1.0 in JSON; its data is described under /docs/events/.",
    "required": ["specversion", "id", "source", "type"],
    "properties": {name: {"type": "string"} for name in ("specversion", "id", "source", "type", "subject", "time")},
    "examples": [
        {
            "specversion": "1.0",
            "id": "order.cancelled:019c1363-5b80-7a4e-8c1f-3d2b6a7f9e01",
            "source": "/orders",
            "type": "shop.order.cancelled.v1",
            "subject": "019c1363-5b80-7a4e-8c1f-3d2b6a7f9e01",
            "partitionkey": "019c1363-0d20-7b11-9f2a-51c0de9b4a02",
            "time": "2026-01-31T09:05:00Z",
            "data": {
                "order_id": "019c1363-5b80-7a4e-8c1f-3d2b6a7f9e01",
                "customer_id": "019c1363-0d20-7b11-9f2a-51c0de9b4a02",
                "cancelled_at": "2026-01-31T09:05:00Z",
            },
        }
    ],
}


class EventsView(APIView):
    """Takes events for one service: 204 when each is applied, known or dead-lettered, 503 when all must be sent again."""

    authentication_classes = [ServiceAuthentication, BearerAuthentication, SessionAuthentication]
    permission_classes = [IsSibling]
    parser_classes = [CloudEventsParser, CloudEventParser]
    bodies: ClassVar[dict[str, Any]] = {
        CloudEventsParser.media_type: {"type": "array", "items": CLOUD_EVENT, "maxItems": MOST_EVENTS},
        CloudEventParser.media_type: CLOUD_EVENT,
    }
    service = ""

    def post(self, request: Request) -> Response:
        events = cast(list[bytes], request.data)
        if len(events) > MOST_EVENTS:
            raise TooLarge
        try:
            receive(self.service, events)
        except SendAgain as error:
            raise Unapplied(error) from error
        return Response(status=HTTPStatus.NO_CONTENT)


def events_path(service: str) -> Any:
    """The route of a service's events."""
    return path(f"{service}/events/", EventsView.as_view(service=service), name=f"{service}-events")
