"""What the page of results says."""

from pathlib import Path
from typing import Any

import pytest

from tests.chaos import report
from tests.chaos.faults import FAULTS, GROUND, PROCESSES
from tests.chaos.figures import Figures

MACHINE = dict.fromkeys(("cores", "python", "postgresql", "kafka", "librdkafka"), "1")


def run(**figures: Any) -> dict[str, Any]:
    origin = {"command": "python -m tests.chaos", "seed": 1, "measured_on": "2026-01-31", "machine": MACHINE}
    return origin | vars(Figures(**figures))


def test_a_fault_has_how_often_it_was_caused_and_the_median_and_longest_recovery() -> None:
    page = report.page({"one node": run(recoveries={"web killed": [1.0, 2.0, 9.0]})})

    assert "| web killed | kill -9 of the web | connections break; orders are accepted again | 3 × 2.0, 9.0 |" in page
    assert "| relay killed |" not in page


def test_what_was_expected_and_is_not_met_is_marked() -> None:
    page = report.page({"one node": run(recoveries={"none": [99.0], "web killed": [9.0, 10.1], "poison": [1.0]}, stops=[4.9], holds=[2.1])})

    assert "| seconds to recover from any single fault, at most | 10 | not met: web killed 10.1 |" in page
    assert "| seconds from SIGTERM to exit under load, at most | 5 | 4.9 |" in page
    assert "| seconds that poison holds its partition, at most | 2 | not met: 2.1 |" in page


def test_a_run_keeps_those_of_other_kinds_and_replaces_the_last_of_its_own(tmp_path: Path) -> None:
    for name, accepted in (("one node", 11), ("three nodes", 22), ("one node", 33)):
        report.write(tmp_path, name, run(accepted=accepted))

    assert "| orders accepted | 33 | 22 |" in (tmp_path / "chaos.md").read_text()


@pytest.mark.parametrize("bad", [{"lost": 1}, {"doubled": 1}, {"problems": ["an order waits"]}])
def test_a_run_that_lost_doubled_or_found_something_is_not_clean(bad: dict[str, Any]) -> None:
    assert Figures().clean
    assert not Figures(**bad).clean


def test_two_faults_at_once_are_faults_of_their_own_too() -> None:
    assert {*PROCESSES, *GROUND} < FAULTS.keys()
