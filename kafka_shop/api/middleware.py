"""What happens to every request before its view."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.response import Response

from kafka_shop.api import bodies, pages, problems
from kafka_shop.api.renderers import PROBLEM
from kafka_shop.messaging.outbox import traceparent
from kafka_shop.tracing import trace_id

GetResponse = Callable[[HttpRequest], HttpResponseBase]

API = "/api/"


class ProblemMiddleware:
    """Whatever refuses a request outside of REST framework, the answer is a problem; a browser gets pages outside of the API."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.status_code >= HTTPStatus.BAD_REQUEST and not told(request, response):
            response.content = problems.content(request, response.status_code)
            response["Content-Type"], response["Content-Length"] = PROBLEM, str(len(response.content))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        refusal = problems.known(exception)
        if not isinstance(refusal, problems.Later):
            return None
        response = problems.answer_later(request, refusal)
        return pages.instead(request, response) if wants_page(request) else response


def told(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a refusal has its form already, or is a page for somebody who asked for one."""
    return wants_page(request) or isinstance(response, Response) or response["Content-Type"] == PROBLEM


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser asks, outside of the API."""
    return not request.path.startswith(API) and request.get_preferred_type([PROBLEM, "text/html"]) == "text/html"


class BodyMiddleware:
    """Refuses a body that is too large or compressed, whoever would read it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if bodies.size(request) > bodies.limit(request.path_info):
            bodies.drain(request)
            return problems.answer(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":  # RFC 9110, section 8.4.1
            return problems.answer(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, **{"Accept-Encoding": "identity"})
        return self.get_response(request)


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
        token = traceparent.set(header if trace_id(header) else "")
        try:
            return self.get_response(request)
        finally:
            traceparent.reset(token)
