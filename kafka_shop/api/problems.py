"""Every answer of 400 or more, in one form: problem details (RFC 9457) with a JSON pointer (RFC 6901) to each field that is wrong."""

import json
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views import defaults
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings

from kafka_shop.api.renderers import PROBLEM

RETRY_AFTER_SECONDS = 2
API = "/api/"

Body = dict[str, Any]


class Conflict(APIException):
    """The state of things refuses the request (409); `refusal` is what the service raised."""

    status_code = HTTPStatus.CONFLICT

    def __init__(self, refusal: Exception) -> None:
        name = type(refusal).__name__
        super().__init__(str(refusal), code="".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_"))


class Unavailable(APIException):
    """The database is away (503): the request may be sent again."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database is not available. Try again in a moment."
    default_code = "unavailable"
    wait = RETRY_AFTER_SECONDS


class ProblemHandler(ExceptionHandler):
    """Turns whatever a view raises into a problem; crashes are logged and signalled as Django does."""

    def should_not_handle(self, exc: Exception) -> bool:
        return False

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, OperationalError | InterfaceError):
            return Unavailable()
        converted: Exception = super().convert_known_exceptions(exc)
        return converted

    def report_exception(self, exc: APIException, response: Response) -> None:
        """Only a crash is reported: an answer that asks to come again is meant."""
        if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            super().report_exception(exc, response)

    def format_exception(self, exc: APIException) -> Body:
        errors, request = list(errors_of(exc.detail)), self.context["request"]
        return problem(exc.status_code, summary(errors, exc), request.path if request else "", errors)


def handle(exc: Exception, context: Any) -> Response | None:
    """REST framework's EXCEPTION_HANDLER."""
    response: Response | None = ProblemHandler(exc, context).run()
    return response


def problem(status: int, detail: str, instance: str, errors: Iterable[Body] = ()) -> Body:
    """The members of a problem, in the order of RFC 9457."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "instance": instance,
        "errors": list(errors),
    }


def errors_of(detail: Any, pointer: str = "") -> Iterator[Body]:
    """REST framework's nested error details as a flat list with pointers."""
    if isinstance(detail, ErrorDetail):
        yield {"pointer": pointer, "code": detail.code, "detail": str(detail)}
        return
    for key, value in detail.items() if isinstance(detail, dict) else enumerate(detail):
        here = key == api_settings.NON_FIELD_ERRORS_KEY or (isinstance(detail, list) and isinstance(value, ErrorDetail))
        yield from errors_of(value, pointer if here else f"{pointer}/{escape(key)}")


def escape(key: object) -> str:
    """A name as a part of a JSON pointer, and of an answer in UTF-8, whatever JSON let in."""
    return str(key).encode(errors="replace").decode().replace("~", "~0").replace("/", "~1")


def summary(errors: list[Body], exc: APIException) -> str:
    """The first thing that is wrong, in one line."""
    first = errors[0]["detail"] if errors else str(exc)
    return f"{errors[0]['pointer']}: {first}" if isinstance(exc, ValidationError) and errors and errors[0]["pointer"] else first


def answer(request: HttpRequest, status: int, detail: str, **headers: str) -> HttpResponse:
    """A problem from outside REST framework."""
    error = {"pointer": "", "code": HTTPStatus(status).name.lower(), "detail": detail}
    return HttpResponse(json.dumps(problem(status, detail, request.path, [error])), status=status, content_type=PROBLEM, headers=headers)


def error_view(status: int, detail: str, page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A Django error view: a problem for the API's paths, Django's page for all others."""

    def view(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
        if request.path.startswith(API):
            return answer(request, status, detail)
        return page(request, exception) if exception else page(request)

    return view


bad_request = error_view(400, "The request is malformed.", defaults.bad_request)
permission_denied = error_view(403, "This is not allowed.", defaults.permission_denied)
page_not_found = error_view(404, "There is nothing at this path.", defaults.page_not_found)
server_error = error_view(500, "Something broke here. It has been logged.", defaults.server_error)


def no_such_path(request: HttpRequest) -> HttpResponse:
    """The API's last route: unknown paths are problems with DEBUG on, too."""
    return page_not_found(request)
