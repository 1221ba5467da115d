"""Where things are, and the browser's way in."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, clear_url_caches, include, path, reverse
from pytest_django import Settings
from rest_framework.permissions import IsAuthenticated

from kafka_shop import urls
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.users.models import User

ROOT = "/api/v1/"
HTML = {"Accept": "text/html"}
COLLECTIONS = [
    "/api/v1/orders/",
    "/api/v1/orders/products/",
    "/api/v1/billing/accounts/",
    "/api/v1/billing/invoices/",
    "/api/v1/notify/notifications/",
]


def test_the_shops_root_leads_to_the_api() -> None:
    response = Client().get("/")
    assert (response.status_code, response["Location"]) == (302, ROOT)


def test_the_api_root_names_its_collections_to_anybody() -> None:
    assert caller().get(ROOT).json() == {
        "products": "http://testserver/api/v1/orders/products/",
        "orders": "http://testserver/api/v1/orders/",
        "accounts": "http://testserver/api/v1/billing/accounts/",
        "invoices": "http://testserver/api/v1/billing/invoices/",
        "notifications": "http://testserver/api/v1/notify/notifications/",
    }


class OnlyBilling:
    """The routes of a process that serves billing."""

    urlpatterns = [path("api/v1/", include(urls.api(["billing"])))]


@pytest.fixture
def only_billing(settings: Settings) -> Any:
    settings.SERVICES, settings.ROOT_URLCONF = ["billing"], OnlyBilling
    clear_url_caches()
    yield
    clear_url_caches()


@pytest.mark.django_db
def test_a_process_has_the_routes_of_the_services_that_it_serves(only_billing: None) -> None:
    client = caller(user("carol"))
    assert client.get("/api/v1/billing/accounts/").status_code == 200
    assert client.get("/api/v1/orders/").status_code == 404
    assert list(client.get(ROOT).json()) == ["accounts", "invoices"]
    with pytest.raises(NoReverseMatch):
        reverse("order-list")


# --- the browsable API, with a session ---


@pytest.fixture
def browser(db: None) -> Client:
    """A customer's browser, signed in."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user("carol"))
    return browser


@pytest.mark.parametrize("path", [ROOT, *COLLECTIONS])
def test_every_collection_is_a_page_in_a_browser(browser: Client, path: str) -> None:
    response = browser.get(path, headers=HTML)
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"carol" in response.content


def test_a_stranger_in_a_browser_is_shown_where_to_sign_in(db: None) -> None:
    response = Client().get("/api/v1/orders/", headers=HTML)
    assert response.status_code == 401
    assert b"/sign-in/login/?next=/api/v1/orders/" in response.content
    assert Client().get("/sign-in/login/").status_code == 200


def test_a_session_writes_with_its_csrf_token_only(browser: Client) -> None:
    page, body = browser.get("/api/v1/billing/accounts/", headers=HTML), '{"currency": "EUR"}'
    assert b"csrfToken" in page.content
    without = browser.post("/api/v1/billing/accounts/", body, "application/json")
    refused(without, 403, code="permission_denied")
    token = browser.cookies[django_settings.CSRF_COOKIE_NAME].value
    assert browser.post("/api/v1/billing/accounts/", body, "application/json", headers={"X-CSRFToken": token}).status_code == 201


def test_a_browser_sees_why_it_was_refused(browser: Client) -> None:
    browser.get("/api/v1/orders/", headers=HTML)
    token = browser.cookies[django_settings.CSRF_COOKIE_NAME].value
    response = browser.post("/api/v1/orders/", "{}", "application/json", headers=HTML | {"X-CSRFToken": token})
    assert (response.status_code, response["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert b"/items" in response.content


def test_the_form_of_an_action_is_shown_where_only_a_post_is_allowed(browser: Client) -> None:
    response = browser.get("/api/v1/auth/users/", headers=HTML)
    assert response.status_code == 405
    assert b"&quot;username&quot;" in response.content


@pytest.mark.parametrize("path", [ROOT, *COLLECTIONS, "/api/v1/auth/token/", "/api/v1/auth/users/"])
def test_options_describe_every_path(browser: Client, path: str) -> None:
    assert caller(User.objects.get()).options(path).status_code == 200


# --- the admin ---


def test_staff_manages_users_in_the_admin(db: None) -> None:
    User.objects.create_superuser("admin")
    browser = Client()
    browser.force_login(User.objects.get())
    password = "correct horse battery"
    added = browser.post(
        "/admin/users/user/add/", {"username": "carol", "usable_password": "true", "password1": password, "password2": password}
    )
    carol = User.objects.get(username="carol")
    assert (added.status_code, added["Location"]) == (302, f"/admin/users/user/{carol.pk}/change/")
    assert browser.get("/admin/users/user/").status_code == 200
    assert browser.get(added["Location"]).status_code == 200


def test_the_admin_is_not_for_customers(browser: Client) -> None:
    assert browser.get("/admin/users/user/").status_code == 302


def routes(patterns: Any) -> Any:
    for pattern in patterns:
        yield from routes(pattern.url_patterns) if isinstance(pattern, URLResolver) else [pattern]


def test_every_api_view_asks_who_is_there_unless_it_says_otherwise() -> None:
    views = [route.callback.cls for route in routes(urls.api(django_settings.SERVICES)) if hasattr(route.callback, "cls")]
    # EventsView is for services only, by its own permission
    open_to_all = {view.__name__ for view in views if IsAuthenticated not in view.permission_classes}
    assert open_to_all == {"Root", "SpectacularAPIView", "UserViewSet", "EventsView"}
