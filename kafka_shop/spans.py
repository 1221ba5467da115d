"""Spans for OpenTelemetry. The only module that needs its packages (requirements/otel.txt): nothing imports it unless
OTEL_EXPORTER_OTLP_ENDPOINT is set.

A request's span is the parent of all that follows from it: the facts carry its `traceparent` from topic to topic.
"""

from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PROPAGATOR = TraceContextTextMapPropagator()
UNTRACED = {"/live", "/ready", "/metrics"}  # machines ask all the time


@cache
def tracer() -> Tracer:
    """This process's own. Its thread sends what has ended every few seconds; a collector that is away holds up nothing."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: settings.OTEL_SERVICE_NAME}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer("kafka_shop")


def under(traceparent: str) -> Context:
    """The context of a trace that goes on; of a new one when the header is none."""
    return PROPAGATOR.extract({"traceparent": traceparent}, Context())


def traceparent_of(span: Span) -> str:
    """The header that says: what comes follows from this span."""
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier, set_span_in_context(span))
    return carrier["traceparent"]


def tell_message(name: str, traceparent: str, *, begun_ms: int, attributes: Mapping[str, str | int], refusal: str) -> None:
    """The span of a message that is done with, from the time that it was published until now."""
    span = tracer().start_span(
        name, under(traceparent), SpanKind.CONSUMER, {**attributes, "messaging.system": "kafka"}, start_time=begun_ms * 1_000_000
    )
    if refusal:
        span.set_status(StatusCode.ERROR, "dead letter")
    span.end()


class SpanMiddleware:
    """A span for each request. Log lines and facts take it for the caller's: its `traceparent` replaces the request's own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path in UNTRACED:
            return self.get_response(request)
        with tracer().start_as_current_span(str(request.method), under(request.META.get("HTTP_TRACEPARENT", "")), SpanKind.SERVER) as span:
            request.META["HTTP_TRACEPARENT"] = traceparent_of(span)
            response = self.get_response(request)
            route = request.resolver_match.route if request.resolver_match else "none"
            span.update_name(f"{request.method} {route}")
            span.set_attributes({"http.request.method": str(request.method), "http.route": route})
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                span.set_status(StatusCode.ERROR)
            return response
