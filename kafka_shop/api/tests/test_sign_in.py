"""Guessing passwords is slow, for whoever guesses and nobody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.models import F
from django.test import Client, RequestFactory
from pytest_django import Settings

from kafka_shop.api.tests.people import caller, refused
from kafka_shop.users.backends import client_address
from kafka_shop.users.models import FailedAttempt, User

TOKEN = "/api/v1/auth/token/"
PASSWORD = "correct horse battery"
FORMS = ["/sign-in/login/", "/admin/login/"]


@pytest.fixture(autouse=True)
def quick_hashes(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol", password=PASSWORD, is_staff=True)


def sign_in(name: str = "carol", password: str = PASSWORD, address: str = "192.0.2.1", **headers: str) -> Any:
    return caller().post(TOKEN, {"username": name, "password": password}, REMOTE_ADDR=address, headers=headers)


def fail(times: int, **where: str) -> None:
    for _ in range(times):
        refused(sign_in(password="wrong", **where), 401, code="authentication_failed")


def test_after_five_failures_even_the_right_password_waits(carol: User) -> None:
    fail(5)
    response = sign_in()
    refused(response, 429, code="too_many_attempts")
    assert 0 < int(response["Retry-After"]) <= 60
    assert response["Retry-After"] in response.json()["detail"]


def test_it_waits_until_the_first_of_the_five_is_a_minute_ago(carol: User) -> None:
    fail(5)
    first = FailedAttempt.objects.earliest("at")
    FailedAttempt.objects.filter(pk=first.pk).update(at=F("at") - timedelta(seconds=50))
    assert int(sign_in()["Retry-After"]) <= 10
    FailedAttempt.objects.filter(pk=first.pk).update(at=F("at") - timedelta(seconds=11))
    assert sign_in().status_code == 200


def test_a_refused_attempt_does_not_make_the_wait_longer(carol: User) -> None:
    fail(5)
    for _ in range(3):
        refused(sign_in(password="wrong"), 429)
    assert FailedAttempt.objects.count() == 5


def test_a_success_forgets_the_failures(carol: User) -> None:
    fail(4)
    assert sign_in().status_code == 200
    fail(4)
    assert sign_in().status_code == 200


def test_nobody_else_waits(carol: User) -> None:
    User.objects.create_user("dave", password=PASSWORD)
    fail(5)
    assert sign_in(address="192.0.2.2").status_code == 200
    assert sign_in("dave").status_code == 200
    refused(sign_in(), 429)


def test_a_name_that_nobody_has_waits_like_any_other(db: None) -> None:
    fail(5, name="nobody")
    refused(sign_in("nobody"), 429)


def test_a_name_counts_in_all_its_spellings(carol: User) -> None:
    fail(3)
    fail(2, name="\uff43arol")  # a wide c: NFKC makes it the same name
    refused(sign_in(), 429)


def test_failures_that_count_no_more_are_forgotten(carol: User) -> None:
    fail(3, name="nobody")
    FailedAttempt.objects.update(at=F("at") - timedelta(minutes=1))
    fail(1)
    assert FailedAttempt.objects.count() == 1


def test_no_name_and_no_address_is_stored(carol: User) -> None:
    fail(1)
    stored = str(FailedAttempt.objects.values_list().get())
    assert "carol" not in stored
    assert "192.0.2.1" not in stored


@pytest.mark.parametrize("form", FORMS)
def test_forms_count_with_the_api_and_wait_too(form: str, carol: User) -> None:
    browser = Client(REMOTE_ADDR="192.0.2.1")
    for _ in range(3):
        assert browser.post(form, {"username": "carol", "password": "wrong"}).status_code == 200  # the form again
    fail(2)
    refused(browser.post(form, {"username": "carol", "password": PASSWORD}), 429)
    page = browser.post(form, {"username": "carol", "password": PASSWORD}, headers={"Accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert page["Retry-After"]
    assert b"Too Many Requests" in page.content


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "10.0.0.1"),
        (0, "192.0.2.1", "10.0.0.1"),  # anybody can say so
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.9, 192.0.2.1", "192.0.2.1"),  # what the client said of itself is not believed
        (2, "203.0.113.9, 192.0.2.1,10.0.0.2", "192.0.2.1"),
        (2, "192.0.2.1", "192.0.2.1"),
        (1, "", "10.0.0.1"),
    ],
)
def test_the_address_is_what_trusted_proxies_say(proxies: int, forwarded: str, address: str, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers=headers)) == address


def test_behind_a_trusted_proxy_others_do_not_wait(carol: User, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    for _ in range(5):
        refused(sign_in(password="wrong", **{"X-Forwarded-For": "192.0.2.1"}), 401)
    refused(sign_in(**{"X-Forwarded-For": "192.0.2.1"}), 429)
    assert sign_in(**{"X-Forwarded-For": "192.0.2.2"}).status_code == 200


def at_once(times: int, password: str) -> list[int]:
    """The answers to so many attempts at once, each with a database connection of its own, as those of several processes have."""

    def attempt(_: int) -> int:
        try:
            return int(sign_in(password=password).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(attempt, range(times)))


def test_wrong_passwords_at_once_are_counted_together_and_right_ones_do_not_hinder_each_other(committed: None) -> None:
    User.objects.create_user("carol", password=PASSWORD)
    assert at_once(8, PASSWORD) == [200] * 8
    assert at_once(12, "wrong") == [401] * 5 + [429] * 7
