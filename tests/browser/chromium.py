"""A real browser, without a download: Debian's Chromium, or one that the machine has."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize, expect, sync_playwright

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
ARGUMENTS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
DEADLINE_MS = 15_000
LOOKS = 3
LIVE = "/admin/console/live/"
PHONE = ViewportSize(width=390, height=844)
DESK = ViewportSize(width=1440, height=1000)


def found() -> str | None:
    """The path of the browser."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=list(ARGUMENTS), env={**os.environ, "LANG": "C.UTF-8"})
        yield browser
        browser.close()


def sign_in(context: BrowserContext, address: str) -> None:
    """The demo's operator, by the form."""
    page = context.new_page()
    page.goto(f"{address}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The way of an order")).to_be_visible()
    page.close()


class Complaints:
    """What a context's pages say on the console: errors, and what the content security policy has refused."""

    def __init__(self, context: BrowserContext) -> None:
        self.said: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.said.append(str(error.error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.said.append(message.text)


def click(page: Page, name: str) -> None:
    """Presses a button of the home, and waits until the page shows what came of it."""
    with page.expect_response(lambda answer: is_live(answer.request) and answer.request.redirected_from is not None):
        page.get_by_role("button", name=name, exact=True).click()


def pause(page: Page, consumer: str) -> None:
    """Pauses a consumer, and lets the page look so often that two seconds are over: it obeys within one."""
    click(page, f"Pause {consumer}")
    for _ in range(LOOKS):
        with page.expect_response(lambda answer: is_live(answer.request)):
            pass


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def is_live(request: Request) -> bool:
    """Whether the home's script asks for its live part."""
    return request.url.endswith(LIVE)
