"""What a newcomer does with the demo's buttons: follows an order, breaks the flow by a poison message, mends it. Then nothing is lost."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from kafka_shop.local.variants import demo_environment
from tests import demo


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_an_order_is_traced_from_the_home(page: Page) -> None:
    page.goto("/admin/")
    click(page, "Place an order")
    page.get_by_role("link", name="Follow the order").click()

    expect(page.locator("#order-status")).to_have_text("paid")  # also when it was pending at first: the page looks again
    for what in ("shop.order.placed.v1", "shop.invoice.settled.v1", "shop.order.settled.v1"):
        expect(page.get_by_role("row", name=re.compile(f"{re.escape(what)}|{what.split('.', 1)[1][:-3]}.*applied"))).not_to_have_count(0)
    expect(page.get_by_text("Your order is paid")).to_be_visible()


def test_an_order_that_waits_says_for_what(page: Page) -> None:
    page.goto("/admin/")
    click(page, "Pause billing")
    expect(page.locator("#said")).to_contain_text("Billing is paused")
    click(page, "Place an order")
    page.get_by_role("link", name="Follow the order").click()
    expect(page.get_by_text("billing, which is paused")).to_be_visible()

    page.goto("/admin/")
    click(page, "Resume billing")
    expect(page.locator("#lag-billing")).to_have_text("0")


def test_a_poison_message_is_found_at_the_desk_mended_and_replayed(page: Page) -> None:
    page.goto("/admin/")
    click(page, "Send a poison message")
    expect(page.locator("#headline")).to_contain_text("1 open dead letter")
    page.get_by_role("link", name="is not known, and its invoice is paid").click()
    page.get_by_role("link", name="shop.invoice.settled.v1").click()
    expect(page.locator("#letter-state")).to_have_text("open")
    letter = page.url
    page.get_by_role("link", name="Replay …").click()
    click(page, "Dry run")
    expect(page.locator("#counts")).to_contain_text("1 failed")

    page.goto("/admin/")
    click(page, "Bring the lost order back")
    expect(page.locator("#said")).to_contain_text("The order is there again.")
    page.goto(letter)
    page.get_by_role("link", name="Replay …").click()
    click(page, "Replay")

    expect(page.locator("#counts")).to_contain_text("1 replayed")
    page.get_by_role("link", name="The trace of its order").click()
    expect(page.locator("#order-status")).to_have_text("paid")
    expect(page.get_by_text("Your order is paid")).to_be_visible()
    page.goto("/admin/")
    expect(page.get_by_text("None. Every message could be applied.")).to_be_visible()


def test_after_all_that_nothing_is_lost(folder: Path, page: Page) -> None:
    page.goto("/admin/")
    for name in ("billing", "orders", "notify"):
        expect(page.locator(f"#lag-{name}")).to_have_text("0")
    audit = demo.command(folder, "audit", **demo_environment([]))
    assert audit.returncode == 0, audit.stdout
