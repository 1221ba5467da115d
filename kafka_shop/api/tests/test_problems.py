"""What every refusal looks like, whoever raises it."""

import re
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils.html import escape
from pytest_django import Settings
from rest_framework.exceptions import ErrorDetail
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from kafka_shop.api import health, problems
from kafka_shop.api.kinds import KINDS, Kind, kind_of
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.users import services
from kafka_shop.users.models import User

TOKEN = "/api/v1/auth/token/"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v1/nothing", "/api/v1/auth/", "/api/nothing/", "/api/", "/api/v2/", "/api/ü/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_path_is_a_problem(path: str, method: str, debug: bool, settings: Settings) -> None:
    settings.DEBUG = debug
    refused(getattr(caller(), method)(path), 404)


@pytest.mark.parametrize("form", ["multipart", "application/x-www-form-urlencoded", "text/plain", "application/xml"])
def test_only_json_is_read(form: str) -> None:
    content_type = "multipart/form-data; boundary=x" if form == "multipart" else form
    refused(caller().generic("POST", TOKEN, "username=a&password=b", content_type=content_type), 415, code="unsupported_media_type")


@pytest.mark.parametrize("content", ["{", "[" * 10])
def test_what_is_not_json_is_400(content: str) -> None:
    refused(caller().generic("POST", TOKEN, content, content_type="application/json"), 400, code="parse_error")


def test_another_method_is_405_and_says_which_are_allowed() -> None:
    response = caller().get("/api/v1/auth/users/")
    refused(response, 405)
    assert response["Allow"] == "POST, OPTIONS"


def test_another_method_is_405_whatever_its_query_asks_for() -> None:
    refused(caller().get("/api/v1/auth/users/?page_size=0"), 405)


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


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sign-in crashes."""
    monkeypatch.setattr(services, "sign_in", raiser(RuntimeError("the secret is 42")))


@pytest.mark.parametrize("debug", [True, False])
def test_a_crash_is_a_problem_that_tells_nothing_and_logged_once(
    debug: bool, settings: Settings, crash: None, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug
    response = caller().post(TOKEN, {"username": "a", "password": "b"})
    refused(response, 500)
    assert b"42" not in response.content
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "'exc_info': True" in record.getMessage()


def raiser(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_the_browsable_api_shows_a_refusal_as_a_page() -> None:
    response = caller().get("/api/v1/auth/users/", headers={"Accept": "text/html"})
    assert (response.status_code, response["Content-Type"]) == (405, "text/html; charset=utf-8")


def test_pointers_reach_into_lists_and_escape_what_they_must() -> None:
    wrong = ErrorDetail("wrong", code="x")
    whole = api_settings.NON_FIELD_ERRORS_KEY
    detail = {
        "items": {2: {"a/b~": [wrong]}},
        "names": [wrong, {"first": wrong}],
        whole: [wrong],
        "deep": {whole: [wrong]},
        "non_field_errors": [wrong],
        "": [wrong],
    }
    pointers = [error["pointer"] for error in problems.errors_of(detail)]
    assert pointers == ["/items/2/a~1b~0", "/names", "/names/1/first", "", "/deep", "/non_field_errors", "/"]


@pytest.mark.parametrize("debug", [True, False])
def test_a_crash_outside_of_rest_framework_is_a_problem_and_logged_once(
    debug: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug
    monkeypatch.setattr(health, "used_aliases", raiser(RuntimeError("the secret is 42")))
    response = caller().get("/ready")
    refused(response, 500)
    assert b"42" not in response.content
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "'exc_info': True" in record.getMessage()


@pytest.mark.parametrize("path", ["/nothing/", "/static/nothing.css", "/api", "/docs/problems/nothing", "/admin/nothing/"])
@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_path_beside_the_api_is_a_problem_too(path: str, debug: bool, settings: Settings, db: None) -> None:
    settings.DEBUG = debug
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff"))
    refused(staff.get(path), 404)


@pytest.mark.parametrize("path", ["/nothing/", "/admin/nothing/"])
def test_a_browser_gets_a_page_beside_the_api(path: str, db: None) -> None:
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff"))
    response = staff.get(path, headers=BROWSER)
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_browser_that_is_lost_within_the_api_gets_a_problem() -> None:
    refused(Client().get("/api/v1/nothing/", headers=BROWSER), 404)


def test_another_method_beside_the_api_is_405_and_says_which_are_allowed() -> None:
    response = Client().post("/live")
    refused(response, 405)
    assert response["Allow"] == "GET, HEAD"


def test_a_form_without_its_csrf_token_is_a_problem(db: None) -> None:
    refused(Client(enforce_csrf_checks=True).post("/sign-in/login/", {"username": "a"}), 403)


def test_more_parameters_than_anybody_needs_are_400(db: None) -> None:
    refused(caller(user("carol")).get("/api/v1/orders/?" + "a&" * 1001), 400)


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/api/v1/", "/live", "/nothing"])
def test_a_wrong_host_is_a_problem(path: str, debug: bool, settings: Settings) -> None:
    settings.DEBUG = debug
    refused(caller().get(path, headers={"Host": "evil.example"}), 400)


@pytest.mark.parametrize("kind", KINDS)
def test_the_type_of_a_problem_leads_to_its_page_with_no_outside_asset(kind: Kind) -> None:
    page = Client().get(kind.type)
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert str(escape(kind.meaning)).encode() in page.content
    assert not re.search(rb'(src|href)="(?!/|data:)', page.content)
    assert kind.type.encode() in Client().get("/docs/problems/").content


@pytest.mark.parametrize(("status", "named"), [(404, 404), (418, 400), (501, 500)])
def test_a_status_that_the_api_does_not_use_is_explained_by_its_class(status: int, named: int) -> None:
    assert kind_of(status).status == named
