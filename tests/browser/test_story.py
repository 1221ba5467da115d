"""What a newcomer does with the demo's buttons: follows an order, breaks the flow by a poison message, mends it. Then nothing is lost."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from kafka_shop.local.variants import demo_environment
from tests import demo
from tests.browser import chromium
from tests.browser.chromium import click


def test_an_order_is_traced_from_the_home(home: Page) -> None:
    click(home, "Place an order")
    home.get_by_role("link", name="Follow the order").click()

    expect(home.locator("#order-status")).to_have_text("paid")  # also when it was pending at first: the page looks again
    for event in ("order.placed", "invoice.settled", "order.settled"):
        expect(home.get_by_role("row", name=re.compile(f"{event}:.*applied"))).to_be_visible()
    expect(home.get_by_text("Your order is paid")).to_be_visible()


def test_an_order_that_waits_says_for_what(home: Page) -> None:
    chromium.pause(home, "billing")
    click(home, "Place an order")
    home.get_by_role("link", name="Follow the order").click()
    expect(home.get_by_text("billing, which is paused")).to_be_visible()

    home.goto("/admin/")
    click(home, "Resume billing")
    expect(home.locator("#lag-billing")).to_have_text("0")


def test_a_poison_message_is_found_at_the_desk_mended_and_replayed(home: Page) -> None:
    click(home, "Send a poison message")
    expect(home.locator("#headline")).to_contain_text("1 open dead letter")
    home.get_by_role("link", name="is not known, and its invoice is paid").click()
    home.get_by_role("link", name="shop.invoice.settled.v1").click()
    expect(home.locator("#letter-state")).to_have_text("open")
    letter = home.url
    home.get_by_role("link", name="Replay …").click()
    home.get_by_role("button", name="Dry run", exact=True).click()
    expect(home.locator("#counts")).to_contain_text("1 failed")

    home.goto("/admin/")
    click(home, "Bring the lost order back")
    expect(home.locator("#said")).to_contain_text("The order is there again.")
    home.goto(letter)
    home.get_by_role("link", name="Replay …").click()
    home.get_by_role("button", name="Replay", exact=True).click()

    expect(home.locator("#counts")).to_contain_text("1 replayed")
    home.get_by_role("link", name="The trace of its order").click()
    expect(home.locator("#order-status")).to_have_text("paid")
    expect(home.get_by_text("Your order is paid")).to_be_visible()
    home.goto("/admin/")
    expect(home.get_by_text("None. Every message could be applied.")).to_be_visible()


def test_after_all_that_nothing_is_lost(folder: Path, page: Page) -> None:
    page.goto("/admin/")
    for name in ("billing", "orders", "notify"):
        expect(page.locator(f"#lag-{name}")).to_have_text("0")
    audit = demo.command(folder, "audit", **demo_environment([]))
    assert audit.returncode == 0, audit.stdout
