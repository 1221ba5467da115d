"""A short chaos run: every fault once, on one node."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kafka.fixtures import require_kafka

ROOT = Path(__file__).resolve().parents[2]
SEED = "20"


@pytest.mark.kafka
@pytest.mark.timeout(1800)  # a bound for what never comes: a busy machine takes several times as long as an idle one
def test_nothing_is_lost_and_nothing_doubled_whatever_fails() -> None:
    require_kafka()

    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--minutes", "0", "--seed", SEED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"seed {SEED}\n{run.stdout}\n{run.stderr}"
