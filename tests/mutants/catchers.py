"""Parts of the crash points and of the simulation that notice a bug within seconds: for control runs only, the suite runs the whole."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
HISTORIES = 24


@pytest.mark.parametrize("scenario", ["notify-one-letter"])
def test_nothing_is_lost_or_doubled_wherever_a_process_is_stopped(scenario: str, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    ended = run("tests.crash", scenario, "--workers", "1", "--json", str(found))

    assert found.exists() is (ended.returncode in {0, 1}), ended.stderr
    assert msgspec.json.decode(found.read_bytes())["wrong"] == []


def test_histories_keep_every_promise() -> None:
    ended = run("tests.simulation", "--seeds", str(HISTORIES), "--workers", "1")

    assert [line for line in ended.stdout.splitlines() if line.startswith("seed ")] == []
    assert ended.returncode == 0, ended.stderr


def run(module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
