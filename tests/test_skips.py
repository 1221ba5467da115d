"""The last line of a test run names what was skipped; in CI a skip is a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SUITE = """
import pytest

def test_fine(): pass

@pytest.mark.parametrize("number", range(2))
def test_without_java(number): pytest.skip("real Kafka: Java is missing")
"""


def run(folder: Path, ci: str) -> "subprocess.CompletedProcess[str]":
    suite = folder / "test_suite.py"
    suite.write_text(SUITE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        "-q",
        "-p",
        "tests.skips",
        "-p",
        "no:cacheprovider",
        str(suite),
    ]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_skipped_tests_are_counted_and_named_last_and_fail_in_ci(tmp_path: Path, ci: str, code: int) -> None:
    result = run(tmp_path, ci)

    assert result.stdout.splitlines()[-1] == "skipped 2 tests: 2 × real Kafka: Java is missing"
    assert result.returncode == code
