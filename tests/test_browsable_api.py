"""The API in a browser: examples that work as they stand, filters, ways in, out and around, and nothing inline."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from kafka_shop.api.problems import Conflict
from kafka_shop.api.tests.people import user
from kafka_shop.urls import api
from kafka_shop.users.models import User
from tests.bodies import BODIES, Things, actions

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = "application/json"
ANSWERS = {"auth/token/": 401}  # the example is one of the demo's people; all others are 2xx
LISTS = {
    "billing/invoices/": {"order_id", "status"},
    "orders/": {"status", "placed_after", "placed_before"},
    "notify/notifications/": {"order_id", "outcome", "created_after", "created_before"},
}


@pytest.fixture
def carol(db: None) -> User:
    return user("carol")


@pytest.fixture
def browser(carol: User) -> Client:
    browser = Client(headers=HTML)
    browser.force_login(carol)
    return browser


@pytest.fixture
def things(carol: User) -> Things:
    return Things(carol)


def example(page: Any) -> Any:
    """What the raw form of a page is prefilled with."""
    [text] = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page.content.decode(), re.DOTALL)
    return json.loads(unescape(text))


@pytest.mark.parametrize("route", BODIES)
def test_the_example_of_each_path_is_accepted_as_it_stands(route: str, browser: Client, things: Things) -> None:
    User.objects.update(is_staff=route.startswith("ops/"), is_superuser=route.startswith("ops/"))
    path = things.path(route)
    answer = browser.post(path, example(browser.get(path)), content_type=JSON, headers={"Accept": JSON})
    expected = ANSWERS.get(route)
    assert answer.status_code == expected if expected else answer.status_code in {200, 201}, answer.content


def test_the_example_of_the_demo_signs_in_there(browser: Client, things: Things) -> None:
    User.objects.create_user("alice", password="alice")
    path = things.path("auth/token/")
    assert browser.post(path, example(browser.get(path)), content_type=JSON).status_code == 200


def test_the_example_of_an_order_names_a_product_that_is_sold(browser: Client, things: Things) -> None:
    assert example(browser.get("/api/v1/orders/")) == {"items": [{"product": "tea", "quantity": 1}]}


def test_without_a_catalogue_there_is_an_example_still(browser: Client) -> None:
    assert example(browser.get("/api/v1/orders/")) == {"items": []}


@pytest.mark.parametrize("route", LISTS)
def test_a_list_has_a_panel_for_its_filters(route: str, browser: Client) -> None:
    page = browser.get(f"/api/v1/{route}").content.decode()
    panel = page[page.index('id="filtersModal"') :]
    assert set(re.findall(r'name="(\w+)"', panel)) >= LISTS[route]
    assert set(re.findall(r"<label[^>]*>(\w+):</label>", panel)) >= LISTS[route]


@pytest.mark.parametrize("route", LISTS)
def test_what_is_left_blank_in_a_panel_filters_nothing(route: str, browser: Client, things: Things) -> None:
    page = browser.get(f"/api/v1/{route}", dict.fromkeys(LISTS[route], ""))
    assert page.status_code == 200
    assert str(things.order.id).encode() in page.content


def links(page: Any) -> dict[str, str]:
    """Where the links beside the resources of a page lead, by their names."""
    listed = "".join(re.findall(r'<ul class="related">(.*?)</ul>', page.content.decode(), re.DOTALL))
    return {label: unescape(address) for address, label in re.findall(r'<a href="([^"]+)">([^<]+)</a>', listed)}


@pytest.mark.parametrize(
    "start", ["orders/<uuid:pk>/", "orders/", "billing/invoices/<uuid:pk>/", "billing/invoices/", "notify/notifications/"]
)
@pytest.mark.parametrize("end", ["order", "invoice", "letters"])
def test_an_order_its_invoice_and_its_letters_lead_to_one_another(start: str, end: str, browser: Client, things: Things) -> None:
    found = links(browser.get(things.path(start)))
    if end not in found:
        assert (start, end) == ("notify/notifications/", "letters")  # one is there
        return
    thing: Any = {"order": things.order, "invoice": things.invoice, "letters": things.letter}[end]
    assert str(thing.id) in browser.get(found[end]).content.decode()


@pytest.mark.parametrize("start", ["billing/accounts/", "notify/notifications/", "billing/invoices/"])
def test_every_link_leads_to_a_page(start: str, browser: Client, things: Things) -> None:
    for address in links(browser.get(things.path(start))).values():
        assert browser.get(address).status_code in {200, 405}  # the page of a path that is only posted to has its form


def test_an_error_has_no_links(browser: Client, things: Things) -> None:
    assert not links(browser.get("/api/v1/orders/?status=lost"))


def test_a_stranger_signs_in_and_out_and_comes_back(carol: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    carol.set_password("correct horse battery")
    carol.save()
    browser = Client(headers=HTML, enforce_csrf_checks=True)
    there = re.findall(r'href="(/sign-in/login/[^"]+)"', browser.get("/api/v1/orders/").content.decode())[0]
    form = browser.get(there).content.decode()
    sent = {"username": "carol", "password": "correct horse battery", "next": hidden(form, "next")}
    back = browser.post("/sign-in/login/", sent | {"csrfmiddlewaretoken": hidden(form, "csrfmiddlewaretoken")})
    assert (back.status_code, back["Location"]) == (302, "/api/v1/orders/")
    page = browser.get("/api/v1/orders/").content.decode()
    out = re.findall(r'action="(/sign-in/logout/[^"]+)"', page)[0]
    assert browser.post(out, {"csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken")}).status_code == 302
    assert browser.get("/api/v1/orders/").status_code == 401


def hidden(page: str, name: str) -> str:
    return str(re.findall(rf'name="{name}" value="([^"]*)"', page)[0])


PAGES = ["/api/v1/", *(f"/api/v1/{route}" for route in LISTS), "/api/v1/billing/accounts/", "/sign-in/login/", "/docs/problems/"]
ADMIN = [
    *("/admin/", "/admin/login/", "/admin/password_change/", "/admin/users/user/", "/admin/users/user/add/"),
    *("/admin/orders/order/", "/admin/orders/order/export/", "/admin/orders/product/add/", "/admin/consumers/deadletter/"),
]
INLINE = re.compile(r"""<script(?![^>]*(src=|type="application/json"))|<style|\sstyle=|\son[a-z]+=["']|javascript:""")


@pytest.mark.parametrize("path", [*PAGES, *ADMIN])
def test_no_page_needs_what_the_policy_forbids(path: str, things: Things) -> None:
    browser = Client(headers=HTML)
    if not path.endswith("login/"):
        browser.force_login(User.objects.create_superuser("staff"))
    page = browser.get(path)
    assert page.status_code == 200
    policy = page["Content-Security-Policy"]
    assert "unsafe" not in (policy.replace("script-src 'self' 'unsafe-eval'", "") if path in ADMIN else policy)
    assert "default-src 'none'" in policy
    assert not INLINE.findall(page.content.decode())
    assert not re.search(r'(src|href)="(https?:)?//(?!testserver/)', page.content.decode())


@pytest.mark.parametrize("path", ["/api/v1/orders/", "/nothing", "/live"])
def test_every_answer_is_guarded(path: str) -> None:
    answer = Client().get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_every_code_of_a_conflict_is_explained() -> None:
    refusals = {refusal for _, view, _ in actions(api(settings.SERVICES)) for refusal in view.conflicts}
    page = Client().get("/docs/problems/conflict").content.decode()
    assert len(refusals) == 4
    for refusal in refusals:
        assert f"<code>{Conflict(refusal()).get_codes()}</code>" in page


def test_forms_are_not_shown_to_who_may_not_send_them(things: Things) -> None:
    assert b"<textarea" not in Client(headers=HTML).get("/api/v1/orders/").content
