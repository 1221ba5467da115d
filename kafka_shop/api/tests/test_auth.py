"""auth/: signing up, in and out."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from knox.models import AuthToken
from pytest_django import DjangoAssertNumQueries, Settings

from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.users.models import User

TOKEN, USERS = "/api/v1/auth/token/", "/api/v1/auth/users/"
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_hashes(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def signed_up(**changes: Any) -> dict[str, Any]:
    return {"username": "carol", "password": PASSWORD, "email": "carol@example.org"} | changes


def bearer(token: str) -> Any:
    client = caller()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def test_who_signs_up_can_sign_in_and_be_known() -> None:
    made = caller().post(USERS, signed_up())
    assert made.status_code == 201
    carol = User.objects.get(username="carol")
    assert made.json() == {"id": str(carol.pk), "username": "carol", "email": "carol@example.org"}
    assert not carol.is_staff
    answer = caller().post(TOKEN, {"username": "carol", "password": PASSWORD})
    assert answer.status_code == 200
    assert list(answer.json()) == ["token"]
    assert bearer(answer.json()["token"]).delete(TOKEN).status_code == 204


def test_a_revoked_token_opens_nothing_and_others_of_the_same_user_do() -> None:
    carol = user("carol")
    (_, first), (_, second) = AuthToken.objects.create(user=carol), AuthToken.objects.create(user=carol)
    assert bearer(first).delete(TOKEN).status_code == 204
    refused(bearer(first).delete(TOKEN), 401)
    assert bearer(second).delete(TOKEN).status_code == 204


@pytest.mark.parametrize("credentials", [{"username": "carol", "password": "wrong"}, {"username": "nobody", "password": PASSWORD}])
def test_wrong_credentials_give_no_token(credentials: dict[str, str]) -> None:
    User.objects.create_user("carol", password=PASSWORD)
    response = caller().post(TOKEN, credentials)
    refused(response, 401, code="authentication_failed")
    assert response["WWW-Authenticate"] == "Bearer"
    assert not AuthToken.objects.exists()


def test_an_inactive_user_gets_no_token_and_an_old_one_opens_nothing() -> None:
    carol = User.objects.create_user("carol", password=PASSWORD)
    _, token = AuthToken.objects.create(user=carol)
    User.objects.update(is_active=False)
    refused(caller().post(TOKEN, {"username": "carol", "password": PASSWORD}), 401)
    refused(bearer(token).delete(TOKEN), 401)


def test_an_expired_token_opens_nothing_is_no_hindrance_to_signing_in_and_goes_then() -> None:
    carol = User.objects.create_user("carol", password=PASSWORD)
    _, token = AuthToken.objects.create(user=carol, expiry=timedelta(seconds=-1))
    refused(bearer(token).delete(TOKEN), 401)
    assert bearer(token).post(TOKEN, {"username": "carol", "password": PASSWORD}).status_code == 200
    assert AuthToken.objects.get().expiry > timezone.now() + timedelta(days=29)


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer unknown", "Bearer \xff\xfe", "Token x", "Basic YTpi", ""])
def test_no_usable_token_is_401(header: str) -> None:
    client = caller()
    client.credentials(HTTP_AUTHORIZATION=header)
    response = client.delete(TOKEN)
    refused(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_token_and_its_user_are_found_in_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    carol = caller(user("carol"))
    with django_assert_num_queries(1):
        carol.get(TOKEN)  # 405: authentication is all that happens


def test_a_token_is_not_stored_as_it_is_sent() -> None:
    _, token = AuthToken.objects.create(user=user("carol"))
    assert token not in str(AuthToken.objects.values_list().get())


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"username": ""}, "/username"),
        ({"username": "two words"}, "/username"),
        ({"username": "x" * 151}, "/username"),
        ({"username": "\ufb03" * 60}, "/username"),  # a ligature: 180 letters in the form that is stored
        ({"username": 5}, "/username"),
        ({"username": "nul\0"}, "/username"),
        ({"username": None}, "/username"),
        ({"email": "no address"}, "/email"),
        ({"email": ""}, "/email"),
        ({"password": "short"}, "/password"),
        ({"password": "password"}, "/password"),
        ({"password": "8735108465"}, "/password"),
        ({"password": "carol@example.org"}, "/password"),
        ({"password": 12345678901}, "/password"),
        ({"is_staff": True}, "/is_staff"),
        ({"a/b~c": 1}, "/a~1b~0c"),
    ],
)
def test_a_bad_sign_up_makes_nobody(changes: dict[str, Any], pointer: str) -> None:
    refused(caller().post(USERS, signed_up(**changes)), 400, pointer)
    assert not User.objects.exists()


@pytest.mark.parametrize(("content", "pointer"), [(r'{"username": "\ud800"}', "/username"), (r'{"\ud800": 1}', "/?")])
def test_half_a_character_is_refused_wherever_it_stands(content: str, pointer: str) -> None:
    refused(caller().generic("POST", USERS, content, content_type="application/json"), 400, pointer)


@pytest.mark.parametrize("missing", ["username", "password", "email"])
def test_every_field_of_a_sign_up_is_needed(missing: str) -> None:
    body = signed_up()
    del body[missing]
    refused(caller().post(USERS, body), 400, f"/{missing}", "required")


def test_all_that_is_wrong_is_said_at_once() -> None:
    response = caller().post(USERS, {"username": "", "email": "no", "admin": True})
    pointers = [error["pointer"] for error in response.json()["errors"]]
    assert sorted(pointers) == ["/admin", "/email", "/password", "/username"]


def test_a_name_is_given_once() -> None:
    user("carol")
    refused(caller().post(USERS, signed_up()), 400, "/username", "unique")


def test_a_name_that_looks_the_same_is_the_same() -> None:
    user("carol")
    refused(caller().post(USERS, signed_up(username="\uff43arol")), 400, "/username", "unique")


def test_signing_up_can_be_off(settings: Settings) -> None:
    settings.SIGN_UP = False
    refused(caller().post(USERS, signed_up()), 404)
    refused(caller().get(USERS), 404)
    assert not User.objects.exists()


def test_a_password_keeps_its_spaces() -> None:
    caller().post(USERS, signed_up(password=f" {PASSWORD} "))
    refused(caller().post(TOKEN, {"username": "carol", "password": PASSWORD}), 401)
    assert caller().post(TOKEN, {"username": "carol", "password": f" {PASSWORD} "}).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/username"), ({"username": "a"}, "/password"), ({"username": "a", "password": "b", "c": 1}, "/c"), ([], ""), ("x", "")],
)
def test_a_sign_in_of_another_shape_is_refused(body: Any, pointer: str) -> None:
    refused(caller().post(TOKEN, body), 400, pointer)
