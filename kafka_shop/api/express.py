"""The short way of the few calls that are made most. It answers as all middlewares and REST framework do, and leaves them what is unusual.

docs/decisions/0018-a-short-way-for-orders.md says why it is there, docs/performance.md what it saves.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import NoReverseMatch, ResolverMatch, resolve, reverse
from django.utils.module_loading import import_string

from kafka_shop.api import problems, request_logs

JSON = "application/json"
HEADERS_BY = (XFrameOptionsMiddleware, CSPMiddleware, SecurityMiddleware)  # what these add to an answer depends on its scheme only

Way = Callable[[HttpRequest], HttpResponse | None]


class Express(NamedTuple):
    """A short way: None from it means that the long one is to be taken, and that nothing has happened yet."""

    way: Way
    match: ResolverMatch


Ways = Mapping[tuple[str | None, str], Express]  # by method and path


class ExpressMiddleware:
    """Takes a request by its short way, if it has one, and the way knows an answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._ways: Ways | None = None
        self._headers: dict[str | None, Mapping[str, str]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        self._ways = ways() if self._ways is None else self._ways  # with the first request, when the routes are there
        express = self._ways.get((request.method, request.path_info))
        answer = self.answer(request, express) if express and is_plain(request) else None
        return self.get_response(request) if answer is None else answer

    def answer(self, request: HttpRequest, express: Express) -> HttpResponse | None:
        """What the short way answers; 503 when the database went away, for nobody knows then whether the effect is there."""
        try:
            response = express.way(request)
        except (OperationalError, InterfaceError):
            response = problems.answer_later(request, problems.Unavailable())
        except UnreadablePostError:
            response = problems.answer(request, HTTPStatus.BAD_REQUEST)
        if response is not None:
            request.resolver_match = express.match
            for name, value in self.headers(request).items():
                response[name] = value
            response["Content-Length"] = str(len(response.content))
            request_logs.tell(request, response)
        return response

    def headers(self, request: HttpRequest) -> Mapping[str, str]:
        """What middlewares and REST framework add to every answer of these calls."""
        if request.scheme not in self._headers:
            response = HttpResponse(headers={"Vary": "Accept", "Allow": "GET, POST, HEAD, OPTIONS"})
            for kind in HEADERS_BY:
                kind(lambda _: response).process_response(request, response)
            del response["Content-Type"]
            self._headers[request.scheme] = dict(response.items())
        return self._headers[request.scheme]


def ways() -> Ways:
    """The short ways of the routes that this process serves."""
    found: dict[tuple[str | None, str], Express] = {}
    for (method, route), name in settings.EXPRESS.items():
        try:
            path = reverse(route)
        except NoReverseMatch:
            continue
        found[method, path] = Express(import_string(name), resolve(path))
    return found


def is_plain(request: HttpRequest) -> bool:
    """Whether somebody with a token asks for JSON, at a host and by a scheme that are allowed, and for nothing else."""
    told = request.META
    if "HTTP_PREFER" in told or told.get("HTTP_ACCEPT", "*/*") not in {"*/*", JSON} or "HTTP_AUTHORIZATION" not in told:
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return request.is_secure() or not settings.SECURE_SSL_REDIRECT
