"""The documentation says what is there: its links lead somewhere, its settings and commands exist."""

import re
import runpy
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from kafka_shop.conf import Environment
from tests.mutants.patches import side

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CHANGE = re.compile(r"^`([\w/.]+)`(?:(?!^`).)*?\n```diff\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"^\| `([A-Z_]+)` \| (?:`(.*?)`|–) \|", re.MULTILINE)
TEST = re.compile(r"\[(test_\w+)\]\(([^)]+)\)")
EXAMPLE = re.compile(r"^#?([A-Z_]+)=", re.MULTILINE)

pages = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What settings.py reads from an empty environment: each name with its default."""
    found: dict[str, str] = {}
    original = Environment.text

    def text(self: Environment, name: str, default: str = "") -> str:
        monkeypatch.delenv(name, raising=False)
        found[name] = found.get(name) or default
        return original(self, name, default)

    monkeypatch.setattr(Environment, "text", text)
    runpy.run_path(str(ROOT / "kafka_shop" / "settings.py"))
    return found


def test_every_setting_is_explained_with_its_default(read: dict[str, str]) -> None:
    explained = dict(SETTING.findall((ROOT / "docs" / "settings.md").read_text()))

    assert explained == {name: default.lower() if default in {"True", "False"} else default for name, default in read.items()}


def test_every_setting_is_named_in_the_example(read: dict[str, str]) -> None:
    named = EXAMPLE.findall((ROOT / ".env.example").read_text())

    assert sorted(named) == sorted(read)


@pages
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in links(page) if not leads_somewhere(page, *link)]

    assert not broken


@pages
def test_every_command_exists(page: Path) -> None:
    text = page.read_text()
    verbs = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    assert set(re.findall(r"\bmake ([a-z]+)`", text)) <= set(re.findall(r"make ([a-z]+)", verbs))


@pages
def test_every_change_that_a_page_shows_fits_its_file(page: Path) -> None:
    """Or has been made. A diff is below a line that begins with its file's name; when it fits no longer, follow the page again."""
    for file, diff in CHANGE.findall(page.read_text()):
        content = (ROOT / file).read_text()
        for hunk in diff.split("\n@@\n"):
            assert 1 in (content.count(side(hunk, "-")), content.count(side(hunk, "+"))), f"{file}:\n{hunk}"


@pages
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    named = TEST.findall(page.read_text())

    assert not [(test, file) for test, file in named if not re.search(rf"def {test}\(", (page.parent / file).read_text())]


def test_every_promise_is_held_by_a_test() -> None:
    promises = (ROOT / "docs" / "promises.md").read_text().partition("\n## Control runs")[0]
    rows = re.findall(r"^\| (?!promise|---)(.*?) \| (.*) \|$", promises, re.MULTILINE)

    assert len(rows) > 50
    assert not [promise for promise, tests in rows if not TEST.search(tests)]


def test_the_figures_of_the_readme_are_those_of_the_bench() -> None:
    section = (ROOT / "README.md").read_text().partition("## How fast")[2].partition("\n## ")[0]
    figures = re.findall(r"\| \**([0-9][0-9.,]*)", section) + re.findall(r"([0-9.]+) ms", section)

    assert figures
    assert not set(figures) - set(re.findall(r"[0-9][0-9.,]*[0-9]|[0-9]", (ROOT / "docs" / "results" / "bench.md").read_text()))


def test_every_page_is_in_the_index() -> None:
    docs = ROOT / "docs"
    listed = {docs / path for path, _ in links(docs / "README.md")} | {
        docs / "decisions" / path for path, _ in links(docs / "decisions" / "README.md")
    }

    assert set(PAGES) - listed - {ROOT / "README.md", docs / "README.md"} == set()


def links(page: Path) -> list[tuple[str, str]]:
    """(relative path, anchor) of every link to a place in this project."""
    return LINK.findall(FENCED.sub("", page.read_text()))


def leads_somewhere(page: Path, path: str, anchor: str) -> bool:
    target = (page.parent / path).resolve() if path else page
    return target.exists() and ROOT in (target, *target.parents) and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> Iterator[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text()), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
