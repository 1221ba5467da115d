"""What happens to every request before its view."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from kafka_shop.api.middleware import SlashMiddleware, TraceMiddleware
from kafka_shop.messaging.outbox import traceparent

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/api/v1/orders", "/api/v1/orders/"), ("/api/v1/orders/", "/api/v1/orders/"), ("/live", "/live"), ("/admin", "/admin")],
)
def test_an_api_path_gets_its_slash(path: str, seen: str) -> None:
    paths: list[tuple[str, str]] = []

    def view(request: HttpRequest) -> HttpResponse:
        paths.append((request.path, request.path_info))
        return HttpResponse()

    SlashMiddleware(view)(RequestFactory().post(f"{path}?a=b"))
    assert paths == [(seen, seen)]


def seen_by_view(header: str) -> str:
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(traceparent.get())
        return HttpResponse()

    TraceMiddleware(view)(RequestFactory().get("/", headers={"traceparent": header}))
    return seen[0]


def test_the_trace_of_a_request_is_known_during_it_only() -> None:
    assert seen_by_view(VALID) == VALID
    assert traceparent.get() == ""


def test_the_trace_is_forgotten_after_a_crash() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        TraceMiddleware(view)(RequestFactory().get("/", headers={"traceparent": VALID}))
    assert traceparent.get() == ""


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        VALID.upper(),
        VALID + "-00",
        VALID + "\n",
        "ff" + VALID[2:],
        VALID.replace(TRACE, "0" * 32),
        VALID.replace(PARENT, "0" * 16),
    ],
)
def test_what_is_no_traceparent_is_ignored(header: str) -> None:
    assert seen_by_view(header) == ""
