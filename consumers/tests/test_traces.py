"""One trace leads from the POST of an order, over all topics, to its letter."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pytest_django import Settings

from billing.services import deposit, open_account
from consumers.receiving import receive
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import run
from consumers.tests.stubs import Doors, opened, record
from kafka_shop import spans
from kafka_shop.databases import rows
from kafka_shop.messaging.events import Conflict
from kafka_shop.users.models import User
from orders.models import Product

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def exported(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is sent while traces are wanted."""
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://collector:4318"
    settings.MIDDLEWARE = ["kafka_shop.spans.SpanMiddleware", *settings.MIDDLEWARE]
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "tracer", lambda: provider.get_tracer("test"))
    return exporter


def post_order(**headers: str) -> None:
    """A customer with money orders."""
    customer = User.objects.create_user("carol")
    Product.objects.create(sku="tea", name="Tea", price=Decimal("3.50"), currency="EUR")
    account = open_account(customer_id=customer.id, currency="EUR", now=NOW)
    deposit(account_id=account.id, amount=Decimal("10.00"), now=NOW)
    client = Client()
    client.force_login(customer)
    order = {"items": [{"product": "tea", "quantity": 2}]}
    assert client.post("/api/v1/orders/", order, content_type="application/json", headers=headers).status_code == 201


def arrive(service: str, destination: str) -> None:
    """The service receives what was told to it."""
    told = rows("default", "SELECT event FROM messaging_outboxrow WHERE destination = %s", destination)
    receive(service, [bytes(event) for (event,) in told])


def place_and_settle(**headers: str) -> None:
    post_order(**headers)
    arrive("billing", "order-topic")
    arrive("orders", "billing-topic")
    arrive("notify", "notify-topic")


def ids(span: ReadableSpan) -> tuple[str, str]:
    """Trace and parent."""
    context: Any = span.context
    return f"{context.trace_id:032x}", f"{span.parent.span_id:016x}" if span.parent else ""


@pytest.mark.django_db
def test_one_trace_leads_from_the_post_to_the_letter(exported: InMemorySpanExporter) -> None:
    place_and_settle()

    request, *messages = exported.get_finished_spans()
    context: Any = request.context
    assert [span.name for span in (request, *messages)] == [
        "POST api/v1/orders/",
        "billing shop.order.placed.v1",
        "orders shop.invoice.settled.v1",
        "notify shop.order.settled.v1",
    ]
    trace, parent = ids(request)
    assert parent == ""
    assert {ids(span) for span in messages} == {(trace, f"{context.span_id:016x}")}
    assert {dict(span.attributes or {}).get("http.response.status_code") for span in (request, *messages)} == {201, None}


@pytest.mark.django_db
def test_the_trace_of_the_caller_goes_on(exported: InMemorySpanExporter) -> None:
    place_and_settle(traceparent=TRACEPARENT)

    request, *messages = exported.get_finished_spans()
    assert ids(request) == (TRACE, "00f067aa0ba902b7")
    assert {ids(span)[0] for span in messages} == {TRACE}


@pytest.mark.django_db
def test_what_is_no_traceparent_begins_a_new_trace(exported: InMemorySpanExporter) -> None:
    Client().get("/api/v1/orders/", headers={"traceparent": "Alice-Secret-7"})

    [request] = exported.get_finished_spans()
    assert ids(request)[1] == ""


@pytest.mark.django_db
def test_probes_leave_no_spans(exported: InMemorySpanExporter) -> None:
    Client().get("/live")

    assert not exported.get_finished_spans()


@pytest.mark.usefixtures("effects_table")
def test_over_kafka_a_dead_letter_is_an_error_and_what_has_no_trace_has_no_span(
    exported: InMemorySpanExporter, broker: MemoryBroker, doors: Doors
) -> None:
    def fail(ids: list[str]) -> None:
        if opened(1).id in ids:
            raise Conflict("a door is gone")

    doors.fails = fail
    broker.put(record(opened(1), 0, traceparent=TRACEPARENT))
    broker.put(record(opened(2), 1, traceparent=TRACEPARENT))
    broker.put(record(opened(3), 2))

    run()

    told = {dict(span.attributes or {})["messaging.kafka.offset"]: span for span in exported.get_finished_spans()}
    assert {offset: span.status.status_code for offset, span in told.items()} == {0: StatusCode.ERROR, 1: StatusCode.UNSET}
    assert {ids(span) for span in told.values()} == {(TRACE, "00f067aa0ba902b7")}


@pytest.mark.django_db
def test_off_no_span_is_made_and_the_trace_goes_along_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "tracer", lambda: pytest.fail("a span"))

    place_and_settle(traceparent=TRACEPARENT)

    told = rows("default", "SELECT convert_from(event, 'UTF8')::jsonb ->> 'traceparent' FROM messaging_outboxrow")
    assert [header for (header,) in told] == [TRACEPARENT] * 3
