"""What the log lines of a request carry besides its id: the trace that it belongs to, and the order that it was about."""

import re
from typing import Any

import structlog
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_structlog.signals import bind_extra_request_finished_metadata, bind_extra_request_metadata

from kafka_shop.tracing import trace_id

ORDER = re.compile(r"/api/v1/(?:ops/)?orders/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")


@receiver(bind_extra_request_metadata)
def bind_trace(request: HttpRequest, **_: Any) -> None:
    """Every line of a request with a `traceparent` has its trace id."""
    if trace := trace_id(request.headers.get("traceparent", "")):
        structlog.contextvars.bind_contextvars(trace_id=trace)


@receiver(bind_extra_request_finished_metadata)
def tell_order(request: HttpRequest, response: HttpResponseBase, log_kwargs: dict[str, Any], **_: Any) -> None:
    """The last line of a request has the order that it made, or that its path names."""
    if match := ORDER.search(response.get("Location", "") or request.path):
        log_kwargs["order_id"] = match[1]
