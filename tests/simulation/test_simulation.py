"""A thousand histories keep every promise, and each of them can be told again, byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ahead

ROOT = Path(__file__).resolve().parents[2]


def simulate(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(1800)  # a hundred seconds alone on two cores, and these may be busy
def test_every_history_keeps_every_promise() -> None:
    ended = ahead.result("test_simulation")

    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"


@pytest.mark.parametrize("seed", ["11", "17"])
def test_the_same_seed_is_the_same_history_byte_for_byte(seed: str) -> None:
    first, second = (simulate("--seed", seed, "--trace", PYTHONHASHSEED=hash_seed) for hash_seed in ("1", "2"))

    assert first.stdout == second.stdout
    assert "FAULT" in first.stdout and f"seed {seed}: all invariants hold" in first.stdout


def test_no_seed_is_the_history_of_another() -> None:
    assert simulate("--seed", "1", "--trace").stdout != simulate("--seed", "2", "--trace").stdout
