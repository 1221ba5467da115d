"""The Postman collection, run by Newman against a running demo: twice in a row, and as a customer who exists."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import demo

FOLDER = Path(__file__).resolve().parents[1] / "postman"
NEWMAN = FOLDER / "node_modules" / ".bin" / "newman"
INSTALLED, WANTED = FOLDER / "node_modules" / ".package-lock.json", FOLDER / "package-lock.json"


@pytest.fixture(scope="module")
def newman() -> Path:
    """Newman at its pinned version; skipped where Node is missing, failed where nothing may be skipped."""
    if shutil.which("npm") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Newman: Node is missing: run `make tools`")
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < WANTED.stat().st_mtime:
        subprocess.run(["npm", "ci", "--loglevel=error"], cwd=FOLDER, check=True)
    return NEWMAN


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The address of a running demo."""
    with demo.var_folder() as folder, demo.serving(folder) as address:
        yield address


def run(newman: Path, shop: str, **variables: str) -> None:
    given = [f"--env-var={name}={value}" for name, value in {"base_url": shop, **variables}.items()]
    command = [str(newman), "run", "99_kafta_test.postman_collection.json", "--color=off", *given]
    result = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "assertions" in result.stdout


@pytest.mark.timeout(300)
def test_it_passes_twice_in_a_row_with_a_fresh_customer_each(newman: Path, shop: str) -> None:
    run(newman, shop)
    run(newman, shop)


def test_it_passes_twice_as_a_customer_who_exists(newman: Path, shop: str) -> None:
    run(newman, shop, username="alice", password="alice")
    run(newman, shop, username="alice", password="alice")
