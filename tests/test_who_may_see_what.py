"""Who may see and do what: every operation of the OpenAPI document, for nobody, the owner, another customer and staff."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from pytest_django import Settings

from kafka_shop.api.tests.people import caller, user
from kafka_shop.users.models import User
from tests.bodies import BODIES, PASSWORD, Things

DOCUMENT = json.loads((Path(__file__).resolve().parents[1] / "docs" / "api" / "openapi.json").read_text())
TOKEN = "a-token-of-the-services"
PEOPLE = ("nobody", "owner", "another customer", "staff")
OPEN = {("/api/v1/", "get"), ("/api/v1/auth/token/", "post"), ("/api/v1/auth/users/", "post")}
OPS = "/api/v1/ops/"  # for staff only
CATALOGUE = "/api/v1/orders/products/"


def operations() -> Iterator[tuple[str, str]]:
    for path, found in DOCUMENT["paths"].items():
        yield from ((path, method) for method in found)


def route_of(path: str) -> str:
    return path.removeprefix("/api/v1/").replace("{id}", "<uuid:pk>").replace("{name}", "<str:name>")


class Town:
    """Carol owns one thing of each kind, Dave nothing, and there is staff."""

    def __init__(self) -> None:
        carol = user("carol")
        self.people: dict[str, User | None] = {
            "nobody": None,
            "owner": carol,
            "another customer": user("dave"),
            "staff": user("eve", staff=True),
        }
        self.things = Things(carol)
        eve = self.people["staff"]
        assert eve
        eve.user_permissions.set(Permission.objects.filter(content_type__app_label="consumers"))

    def call(self, who: str, path: str, method: str) -> Any:
        route = route_of(path)
        if route == "auth/token/":
            give_password(self.people["owner"])  # only here: hashing one takes a tenth of a second
        body = [] if path.endswith("/events/") else BODIES.get(route, {})
        kind = "application/cloudevents-batch+json" if path.endswith("/events/") else "application/json"
        here = self.things.path(route)
        client = caller(self.people[who])
        return client.get(here) if method == "get" else client.generic(method.upper(), here, json.dumps(body), content_type=kind)


def give_password(person: User | None) -> None:
    assert person
    person.set_password(PASSWORD)
    person.save()


@pytest.fixture
def town(db: None, settings: Settings) -> Town:
    settings.SERVICE_TOKEN = TOKEN
    return Town()


def expected(path: str, method: str, who: str) -> set[int]:
    """What the rule-book says: ids of others are not there, services speak with their own token, nobody sees nothing."""
    if (path, method) in OPEN:
        return {200, 201}
    if path.endswith("/events/"):
        return {401} if who == "nobody" else {403}
    if who == "nobody":
        return {401}
    if path.startswith(OPS) and who != "staff":
        return {403}
    return {404} if "{id}" in path and who == "another customer" else {200, 201, 204}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(("path", "method"), list(operations()))
def test_each_may_do_what_the_rules_say_and_no_more(town: Town, path: str, method: str, who: str) -> None:
    response = town.call(who, path, method)

    assert response.status_code in expected(path, method, who), response.content
    assert str(response.status_code) in DOCUMENT["paths"][path][method]["responses"]


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_path_tells_what_it_takes(town: Town, path: str) -> None:
    answer = town.call("staff", path, "options")

    assert answer.status_code == (403 if path.endswith("/events/") else 200), answer.content


@pytest.mark.parametrize(
    "path", [path for path, method in operations() if method == "get" and "{" not in path and path != CATALOGUE and OPS not in path]
)
def test_a_list_shows_the_owner_and_staff_what_it_hides_from_another(town: Town, path: str) -> None:
    if path == "/api/v1/":
        return
    seen = {who: [each["id"] for each in town.call(who, path, "get").json()["results"]] for who in PEOPLE if who != "nobody"}

    assert len(seen["owner"]) == 1
    assert seen["staff"] == seen["owner"]
    assert seen["another customer"] == []


@pytest.mark.parametrize("path", [path for path, _ in operations() if path.endswith("/events/")])
def test_a_service_gets_in_with_its_token_and_nowhere_else(town: Town, path: str) -> None:
    client = caller()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {TOKEN}")

    assert client.post(path, "[]", content_type="application/cloudevents-batch+json").status_code == 204
    assert client.get("/api/v1/orders/").status_code == 401


@pytest.mark.parametrize("who", ["owner", "another customer"])
def test_without_self_service_customers_pay_nothing_in(town: Town, settings: Settings, who: str) -> None:
    settings.SELF_SERVICE_DEPOSITS = False
    path = "/api/v1/billing/accounts/{id}/deposits/"

    assert town.call(who, path, "post").status_code == 403
    assert town.call("staff", path, "post").status_code == 201


def test_every_operation_with_a_body_is_tried_with_one() -> None:
    bodies = {
        route_of(path)
        for path, method in operations()
        if "requestBody" in DOCUMENT["paths"][path][method] and not path.endswith("/events/")
    }
    assert bodies <= set(BODIES)
