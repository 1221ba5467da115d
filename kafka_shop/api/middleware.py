"""What happens to every request before its view."""

import re
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kafka_shop.api.problems import API
from kafka_shop.messaging.outbox import traceparent

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# W3C Trace Context, version 00; ids of zeros only are invalid.
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class SlashMiddleware:
    """Accepts an API path without its trailing slash, without a redirect: a redirected POST loses its body."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(API) and not request.path_info.endswith("/"):
            request.path_info += "/"
            request.path += "/"
        return self.get_response(request)


class TraceMiddleware:
    """The request's trace goes on in the facts that the request makes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        header = request.headers.get("traceparent", "")
        token = traceparent.set(header if TRACEPARENT.fullmatch(header) else "")
        try:
            return self.get_response(request)
        finally:
            traceparent.reset(token)
