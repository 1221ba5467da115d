"""`make screenshots`: runs a demo, makes it lively, and writes the pictures of docs/img. They differ from run to run, in figures and times.

ARGS="--minutes 15" lets the shop do business for so long before, so that the charts have something to show.
"""

import math
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from tests import demo
from tests.browser import chromium
from tests.browser.chromium import click

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "img"
SINGLE_ORDERS = 4
WAVE_SECONDS = 2.0
LARGEST_BYTES = 200_000


def main() -> None:
    """Raises AssertionError, and TimeoutError of Playwright, when a page does not come to what is to be shown."""
    parser = ArgumentParser(prog="make screenshots")
    parser.add_argument("--minutes", type=float, default=0, help="how long customers order before the pictures are taken (0)")
    minutes = parser.parse_args().minutes
    if not chromium.found():
        sys.exit("Error: Chromium is not installed: run `make tools`")
    with demo.var_folder() as folder, demo.serving(folder) as address, chromium.browser() as browser:
        trade(address, minutes)
        page = operator(browser, address)
        trace = enliven(page)
        shoot(page, "order-trace", trace, 940)
        shoot(page, "console-home", "/admin/", 1040)
        shoot(page, "dead-letters", letter(page), 1050)
        page.emulate_media(color_scheme="dark")
        shoot(page, "console-home-dark", "/admin/", 1040)


def trade(address: str, minutes: float) -> None:
    """Alice orders in waves."""
    with httpx.Client(base_url=f"{address}/api/v1/", timeout=30, limits=httpx.Limits(max_keepalive_connections=0)) as alice:
        token = alice.post("auth/token/", json={"username": "alice", "password": "alice"}).json()["token"]
        alice.headers["Authorization"] = f"Bearer {token}"
        account = alice.get("billing/accounts/").json()["results"][0]["id"]
        alice.post(f"billing/accounts/{account}/deposits/", json={"amount": "900000.00"})
        began = time.monotonic()
        while (gone := time.monotonic() - began) < 60 * minutes:
            count = round(12 + 8 * math.sin(gone / 70) + 3 * math.sin(gone / 23))
            alice.post("orders/bulk/", json={"orders": [{"items": [{"product": "TEA-001", "quantity": 1}]}] * count})
            time.sleep(WAVE_SECONDS)


def operator(browser: Browser, address: str) -> Page:
    context = browser.new_context(viewport=chromium.DESK, base_url=address, color_scheme="light", reduced_motion="reduce")
    chromium.sign_in(context, address)
    page = context.new_page()
    page.goto("/admin/")
    return page


def enliven(page: Page) -> str:
    """Orders on every way, a poison message, and a consumer that stands still before a crowd. Returns the path of an order's trace."""
    click(page, "Place 500 at once")
    expect(page.locator("#lag-notify")).to_have_text("0")
    click(page, "Place one that is refused")
    for _ in range(SINGLE_ORDERS):
        click(page, "Place an order")
    trace = str(page.get_by_role("link", name="Follow the order").get_attribute("href"))
    click(page, "Send a poison message")
    expect(page.locator("#headline")).to_contain_text("1 open dead letter")
    chromium.pause(page, "notify")
    click(page, "Place 500 at once")
    expect(page.locator("#lag-notify")).to_have_text("500")
    return trace


def letter(page: Page) -> str:
    """The path of the dead letter."""
    page.goto("/admin/console/dead-letters/")
    return str(page.get_by_role("link", name="shop.invoice.settled.v1").get_attribute("href"))


def shoot(page: Page, name: str, path: str, height: int) -> None:
    page.set_viewport_size({"width": chromium.DESK["width"], "height": height})
    page.goto(path)
    page.evaluate("document.fonts.ready")
    file = IMAGES / f"{name}.png"
    page.screenshot(path=file, animations="disabled")
    size = file.stat().st_size
    assert size < LARGEST_BYTES, f"{file} has {size} bytes"
    print(f"{file.relative_to(IMAGES.parents[1])}: {size // 1000} kB")  # noqa: T201  # what it made


if __name__ == "__main__":
    main()
