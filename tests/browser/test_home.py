"""The console's home in a real browser."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser import chromium
from tests.browser.chromium import PHONE, Complaints, click, is_live


def order(shop: str) -> str:
    """Places an order as alice does, by the API, and returns its id."""
    with httpx.Client(base_url=f"{shop}/api/v1/") as alice:
        token = alice.post("auth/token/", json={"username": "alice", "password": "alice"}).json()["token"]
        placed = alice.post(
            "orders/", json={"items": [{"product": "TEA-001", "quantity": 1}]}, headers={"Authorization": f"Bearer {token}"}
        )
        return str(placed.json()["id"])


def headline(page: Page) -> Locator:
    return page.locator("#headline")


def test_it_is_for_who_signs_in(browser: Browser, shop: str) -> None:
    context = browser.new_context(base_url=shop)
    complaints, page = Complaints(context), context.new_page()
    page.goto("/admin/")
    expect(page.get_by_label("Password")).to_be_visible()
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("alice")
    page.keyboard.press("Enter")
    expect(page.get_by_text("staff account")).to_be_visible()
    assert complaints.said == []
    context.close()


def test_it_updates_by_itself_when_an_order_is_placed(home: Page, shop: str) -> None:
    expect(home.locator("#pulse")).to_have_text("Live, every two seconds.")
    placed = order(shop)
    expect(home.get_by_role("row", name=re.compile(f"letter.paid.*{placed}"))).to_be_visible()


def test_lag_grows_while_billing_is_paused_and_drains_after(home: Page) -> None:
    chromium.pause(home, "billing")
    expect(headline(home)).to_contain_text("Billing is paused")
    expect(home.locator("#stop-billing")).to_contain_text("by admin")
    click(home, "Place 500 at once")
    expect(home.locator("#lag-billing")).to_have_text("500")

    click(home, "Resume billing")

    expect(home.locator("#lag-billing")).to_have_text("0")
    expect(headline(home)).not_to_contain_text("paused")


def test_a_refused_order_gets_its_letter_and_can_be_followed(home: Page) -> None:
    click(home, "Place one that is refused")
    expect(home.locator("#said")).to_contain_text("which he has not")
    link = home.locator("#said").get_by_role("link", name="Follow the order")
    placed = str(link.get_attribute("href")).rstrip("/").rsplit("/", 1)[-1]
    expect(home.get_by_role("row", name=re.compile(f"letter.rejected.*{placed}"))).to_be_visible()


def test_the_keyboard_reaches_a_button_which_keeps_the_focus_while_the_page_updates(home: Page) -> None:
    focused = home.locator(":focus")
    home.keyboard.press("Tab")
    expect(focused).to_have_accessible_name("Skip to the content")
    home.keyboard.press("Enter")
    for _ in range(5):
        home.keyboard.press("Tab")
        if focused.get_attribute("formaction") == "/admin/console/consumers/billing/pause/":
            break
    expect(focused).to_have_accessible_name("Pause billing")
    with home.expect_response("**/admin/console/live/"):
        home.keyboard.press("Enter")
    expect(focused).to_have_accessible_name("Resume billing")


def test_a_shop_that_cannot_be_reached_is_told_and_it_goes_on_after(home: Page, complaints: Complaints) -> None:
    home.context.set_offline(True)
    expect(home.locator("#pulse")).to_contain_text("The shop cannot be reached.")
    home.context.set_offline(False)
    expect(home.locator("#pulse")).to_have_text("Live, every two seconds.")
    assert all("ERR_INTERNET_DISCONNECTED" in said for said in complaints.said)
    complaints.said.clear()


def test_a_database_that_is_away_is_told(home: Page, complaints: Complaints) -> None:
    home.route(f"**{chromium.LIVE}", lambda route: route.fulfill(status=503))
    expect(home.locator("#pulse")).to_contain_text("The database does not answer.")
    home.unroute(f"**{chromium.LIVE}")
    expect(home.locator("#pulse")).to_have_text("Live, every two seconds.")
    assert all("503" in said for said in complaints.said)
    complaints.said.clear()


def test_who_is_signed_out_meanwhile_is_told(browser: Browser, shop: str) -> None:
    context = browser.new_context(base_url=shop)
    chromium.sign_in(context, shop)
    page = context.new_page()
    page.goto("/admin/")
    context.clear_cookies()
    expect(page.locator("#pulse")).to_contain_text("You are signed out.")
    context.close()


def test_a_hidden_tab_asks_for_nothing(page: Page) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.clock.install()
    page.goto("/admin/")
    hidden = "Object.defineProperty(document, 'hidden', {get: () => %s, configurable: true});"
    page.evaluate(hidden % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(20_000)
    assert not any(map(is_live, asked))
    with page.expect_request(is_live):
        page.evaluate(hidden % "false" + "document.dispatchEvent(new Event('visibilitychange'))")


def test_it_reads_and_pauses_without_a_script(browser: Browser, shop: str) -> None:
    context = browser.new_context(base_url=shop, java_script_enabled=False)
    chromium.sign_in(context, shop)
    page = context.new_page()
    page.goto("/admin/")
    expect(page.locator("#pulse")).to_contain_text("Load the page again")
    page.get_by_role("button", name="Pause notify", exact=True).click()
    expect(page.locator("#said")).to_contain_text("Notify is paused")
    page.get_by_role("button", name="Resume notify", exact=True).click()
    expect(page.locator("#said")).to_contain_text("Notify is resumed")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_scrolls_sideways(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size(PHONE)
    page.goto("/admin/")
    expect(headline(page)).to_be_visible()
    assert not chromium.scrolls_sideways(page)
