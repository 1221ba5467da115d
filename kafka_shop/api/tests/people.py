"""Who calls the API in tests, and what they may expect of a refusal."""

from typing import Any

from django.utils.encoding import escape_uri_path
from knox.models import AuthToken
from rest_framework.test import APIClient

from kafka_shop.api.renderers import PROBLEM
from kafka_shop.users.models import User


def user(name: str, *, staff: bool = False) -> User:
    """A user without a password, which would cost a tenth of a second to hash."""
    return User.objects.create_user(name, is_staff=staff)


def caller(person: User | None = None) -> APIClient:
    """A client that speaks JSON and sends this person's token; without a person, none."""
    client = APIClient(raise_request_exception=False)
    if person:
        _, token = AuthToken.objects.create(user=person)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    client.default_format = "json"
    return client


def refused(response: Any, status: int, pointer: str = "", code: str = "") -> None:
    """Asserts that a response is a whole problem of this status, with an error at this pointer and of this code."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    problem = response.json()
    assert list(problem) == ["type", "title", "status", "detail", "instance", "errors"]
    assert problem["status"] == status
    assert problem["type"].startswith("/docs/problems/")
    assert problem["instance"] == escape_uri_path(response.wsgi_request.path)
    assert problem["detail"]
    errors = problem["errors"]
    assert all(set(error) == {"pointer", "code", "detail"} for error in errors)
    assert pointer in [error["pointer"] for error in errors], errors
    assert not code or code in [error["code"] for error in errors], errors
