"""What every refusal looks like, whoever raises it."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client, RequestFactory
from pytest_django import Settings
from rest_framework.exceptions import ErrorDetail
from rest_framework.test import APIClient

from kafka_shop.api import problems
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.users import services

TOKEN = "/api/v1/auth/token/"


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v1/nothing", "/api/v1/auth/", "/api/nothing/", "/api/", "/api/v2/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_path_is_a_problem(path: str, method: str, debug: bool, settings: Settings) -> None:
    settings.DEBUG = debug
    response = getattr(caller(), method)(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["title"] == "Not Found"


def test_an_unknown_path_beside_the_api_is_a_page() -> None:
    response = Client().get("/nothing/")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("form", ["multipart", "application/x-www-form-urlencoded", "text/plain", "application/xml"])
def test_only_json_is_read(form: str) -> None:
    content_type = "multipart/form-data; boundary=x" if form == "multipart" else form
    refused(caller().generic("POST", TOKEN, "username=a&password=b", content_type=content_type), 415, code="unsupported_media_type")


@pytest.mark.parametrize("content", ["{", '{"username": NaN}', "[" * 10, "1" * 5000])
def test_what_is_not_json_is_400(content: str) -> None:
    refused(caller().generic("POST", TOKEN, content, content_type="application/json"), 400, code="parse_error")


def test_another_method_is_405_and_says_which_are_allowed() -> None:
    response = caller().get("/api/v1/auth/users/")
    refused(response, 405)
    assert response["Allow"] == "POST, OPTIONS"


def test_an_answer_in_xml_is_406() -> None:
    refused(caller().get("/api/v1/", headers={"Accept": "application/xml"}), 406)


@pytest.mark.django_db
def test_an_unknown_query_parameter_is_400() -> None:
    refused(caller(user("carol")).delete(f"{TOKEN}?force=true"), 400, "/force", "unknown")


@pytest.mark.parametrize("error", [OperationalError("the server closed the connection"), InterfaceError("the connection is closed")])
def test_a_database_that_is_away_is_503_with_a_time_to_come_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "sign_in", raiser(error))
    client = APIClient(raise_request_exception=True)  # it would raise what is reported as a crash
    response = client.post(TOKEN, {"username": "a", "password": "b"}, format="json")
    refused(response, 503, code="unavailable")
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize("debug", [True, False])
def test_a_crash_is_a_problem_that_tells_nothing(
    debug: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug
    monkeypatch.setattr(services, "sign_in", raiser(RuntimeError("the secret is 42")))
    response = caller().post(TOKEN, {"username": "a", "password": "b"})
    refused(response, 500)
    assert b"42" not in response.content
    assert "the secret is 42" in caplog.text


def raiser(error: Exception) -> Any:
    def fail(**_: Any) -> None:
        raise error

    return fail


def test_the_browsable_api_shows_a_refusal_as_a_page() -> None:
    response = caller().get("/api/v1/auth/users/", headers={"Accept": "text/html"})
    assert (response.status_code, response["Content-Type"]) == (405, "text/html; charset=utf-8")


def test_pointers_reach_into_lists_and_escape_what_they_must() -> None:
    wrong = ErrorDetail("wrong", code="x")
    detail = {
        "items": {2: {"a/b~": [wrong]}},
        "names": [wrong, {"first": wrong}],
        "non_field_errors": [wrong],
        "deep": {"non_field_errors": [wrong]},
    }
    assert [error["pointer"] for error in problems.errors_of(detail)] == ["/items/2/a~1b~0", "/names", "/names/1/first", "", "/deep"]


@pytest.mark.parametrize(
    ("view", "status"),
    [(problems.bad_request, 400), (problems.permission_denied, 403), (problems.page_not_found, 404), (problems.server_error, 500)],
)
def test_djangos_own_error_pages_are_problems_under_the_api_only(view: Any, status: int) -> None:
    exception = [] if status == 500 else [Exception("why")]
    problem = view(RequestFactory().get("/api/v1/x/"), *exception)
    assert (problem.status_code, problem["Content-Type"]) == (status, "application/problem+json")
    page = view(RequestFactory().get("/x/"), *exception)
    assert (page.status_code, page["Content-Type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.django_db
def test_a_wrong_host_is_a_problem(settings: Settings) -> None:
    settings.DEBUG = False
    response = caller().get("/api/v1/", headers={"Host": "evil.example"})
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
