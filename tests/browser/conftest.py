"""One demo and one browser for all tests of this folder.

They touch no database of their own: while Playwright's loop runs in this thread, Django refuses that. So both end with the folder.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import demo
from tests.browser import chromium


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    with demo.var_folder() as folder:
        yield folder


@pytest.fixture(scope="package")
def shop(folder: Path) -> Iterator[str]:
    """The address of a running demo."""
    if not chromium.found():
        pytest.skip("Chromium is not installed (make tools)")
    with demo.serving(folder) as address:
        yield address


@pytest.fixture(scope="package")
def browser(shop: str) -> Iterator[Browser]:
    with chromium.browser() as browser:
        yield browser


@pytest.fixture(scope="package")
def context(browser: Browser, shop: str) -> Iterator[BrowserContext]:
    """Where the operator is signed in."""
    context = browser.new_context(viewport=chromium.DESK, base_url=shop)
    chromium.sign_in(context, shop)
    yield context
    context.close()


@pytest.fixture(scope="package")
def complaints(context: BrowserContext) -> chromium.Complaints:
    return chromium.Complaints(context)


@pytest.fixture
def page(context: BrowserContext, complaints: chromium.Complaints) -> Iterator[Page]:
    """A tab on which nothing may go wrong."""
    complaints.said.clear()
    page = context.new_page()
    yield page
    page.close()
    assert complaints.said == []


@pytest.fixture
def home(page: Page) -> Iterator[Page]:
    """The home in that tab; whoever is paused at the end is resumed."""
    page.goto("/admin/")
    yield page
    page.goto("/admin/")
    for button in page.get_by_role("button", name="Resume").all():
        button.click()
    expect(page.get_by_role("button", name="Resume")).to_have_count(0)
