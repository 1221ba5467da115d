"""Every answer of 400 or more, in one form: problem details (RFC 9457) with a JSON pointer (RFC 6901) to each field that is wrong."""

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.encoding import escape_uri_path
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings

from kafka_shop.api.kinds import kind_of
from kafka_shop.api.renderers import PROBLEM
from kafka_shop.users.attempts import TooManyFailures

RETRY_AFTER_SECONDS = 2

Body = dict[str, Any]


class Conflict(APIException):
    """The state of things refuses the request (409); `refusal` is what the service raised."""

    status_code = HTTPStatus.CONFLICT

    def __init__(self, refusal: Exception) -> None:
        name = type(refusal).__name__
        super().__init__(str(refusal), code="".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_"))


class Later(APIException):
    """The request may be sent again after `wait` seconds."""

    wait = RETRY_AFTER_SECONDS


class Unavailable(Later):
    """The database is away (503)."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database is not available. Try again in a moment."
    default_code = "unavailable"


class TooManyAttempts(Later):
    """Signing in is refused for a while (429)."""

    status_code = HTTPStatus.TOO_MANY_REQUESTS
    default_code = "too_many_attempts"

    def __init__(self, refusal: TooManyFailures) -> None:
        super().__init__(str(refusal))
        self.wait = refusal.seconds


class ProblemHandler(ExceptionHandler):
    """Turns whatever a view raises into a problem; crashes are logged and signalled as Django does."""

    def should_not_handle(self, exc: Exception) -> bool:
        return False

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        converted: Exception = known(exc) or super().convert_known_exceptions(exc)
        return converted

    def report_exception(self, exc: APIException, response: Response) -> None:
        """Only a crash is reported: an answer that asks to come again is meant."""
        if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            super().report_exception(exc, response)

    def format_exception(self, exc: APIException) -> Body:
        errors, request = list(errors_of(exc.detail)), self.context["request"]
        return problem(exc.status_code, summary(errors, exc), request.path if request else "", errors)


def known(exc: Exception) -> APIException | None:
    """The refusal that an exception from below stands for; None: it is a crash."""
    if isinstance(exc, OperationalError | InterfaceError):
        return Unavailable()
    if isinstance(exc, TooManyFailures):
        return TooManyAttempts(exc)
    return ParseError("The request is malformed.") if isinstance(exc, SuspiciousOperation | UnreadablePostError) else None


def handle(exc: Exception, context: Any) -> Response | None:
    """REST framework's EXCEPTION_HANDLER."""
    response: Response | None = ProblemHandler(exc, context).run()
    return response


def problem(status: int, detail: str, instance: str, errors: Iterable[Body] = ()) -> Body:
    """The members of a problem, in the order of RFC 9457."""
    kind = kind_of(status)
    return {
        "type": kind.type,
        "title": kind.title,
        "status": int(status),
        "detail": detail,
        "instance": escape_uri_path(instance),
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


def answer(request: HttpRequest, status: int, detail: str = "", **headers: str) -> HttpResponse:
    """A problem from outside REST framework; without a detail, what its kind means."""
    return HttpResponse(content(request, status, detail), status=status, content_type=PROBLEM, headers=headers)


def content(request: HttpRequest, status: int, detail: str = "") -> str:
    """A problem from outside REST framework, as JSON."""
    return json.dumps(general(status, request.path, detail))


def general(status: int, instance: str, detail: str = "") -> Body:
    """A problem of a request as a whole; without a detail, what its kind means."""
    told = detail or kind_of(status).meaning
    error = {"pointer": "", "code": kind_of(status).name.replace("-", "_"), "detail": told}
    return problem(status, told, instance, [error])


def answer_later(request: HttpRequest, refusal: Later) -> HttpResponse:
    """The answer to a request that may be sent again later, from outside REST framework."""
    return answer(request, refusal.status_code, str(refusal.detail), **{"Retry-After": str(refusal.wait)})
