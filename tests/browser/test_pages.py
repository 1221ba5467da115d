"""Every page that the console leads to, on a phone: nothing is refused by the policy, nothing fails, nothing scrolls sideways."""

from playwright.sync_api import Page, expect

from tests.browser import chromium
from tests.browser.chromium import PHONE


def test_every_page_of_the_sidebar_is_whole_on_a_phone(page: Page) -> None:
    page.goto("/admin/")
    links = page.locator("#nav-sidebar a[href^='/admin/']").evaluate_all(
        "links => [...new Set(links.map(link => link.getAttribute('href')))]"
    )
    assert len(links) > 12, links
    page.set_viewport_size(PHONE)
    for link in links:
        answer = page.goto(link)
        assert answer and answer.status == 200, link
        expect(page.locator("h1").first).to_be_attached()
        assert not chromium.scrolls_sideways(page), link


def test_a_row_of_each_table_opens(page: Page) -> None:
    page.set_viewport_size(PHONE)
    for model in (
        "orders/order",
        "billing/invoice",
        "billing/account",
        "billing/transfer",
        "notify/letter",
        "consumers/position",
        "users/user",
    ):
        page.goto(f"/admin/{model}/")
        first = page.locator("#result_list tbody a").first
        answer = page.goto(str(first.get_attribute("href")))
        assert answer and answer.status == 200, model
        assert not chromium.scrolls_sideways(page), page.url
