"""What the log lines of a request carry besides its id: the trace that it belongs to, and the order that it was about."""

import logging
import re
from typing import Any
from uuid import uuid4

import structlog
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_structlog.signals import bind_extra_request_finished_metadata, bind_extra_request_metadata

from kafka_shop.tracing import trace_id

ORDER = re.compile(r"/api/v1/(?:ops/)?orders/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")


NAME = "django_structlog.middlewares.request"
logger, level = structlog.get_logger(NAME), logging.getLogger(NAME)


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


def tell(request: HttpRequest, response: HttpResponseBase) -> None:
    """The one line of a request that took the short way: all that the two of others say."""
    if not level.isEnabledFor(logging.INFO):
        return
    told = {"request_id": str(uuid4()), "request": f"{request.method} {request.get_full_path()}", "code": response.status_code}
    told["user_agent"] = request.META.get("HTTP_USER_AGENT")
    if trace := trace_id(request.META.get("HTTP_TRACEPARENT", "")):
        told["trace_id"] = trace
    tell_order(request=request, response=response, log_kwargs=told)
    logger.info("request_finished", **told)
