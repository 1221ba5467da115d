"""What a run's figures become: ratios, tables, and what was expected of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import report
from bench.campaign import Figures, Size
from bench.latency import Latency

MACHINE = {"cores": "2", "memory": "8 GiB", "cpu": "a processor", "system": "Linux", "python": "3.11", "kafka": "4.4.0"}


@pytest.fixture
def figures() -> Figures:
    figures = Figures(
        lone={"lone orders": [Latency([5.0, 6.0], [10.0, 20.0], {}), Latency([7.0], [90.0], {})]},
        idle=[{"bench": 0.5, "relay": 0.03, "kafka": 0.05}],
    )
    for rate in (100.0, 300.0, 200.0):
        figures.add("floor", rate, {"bench": 0.5})
    figures.add("ceiling", 20_000.0, {"bench": 0.5, "postgres": 1.0})
    figures.add("billing", 8_000.0, {"billing": 0.4, "postgres": 0.8, "kafka": 0.0})
    figures.add("pipeline ceiling", 4_000.0, {"relay": 0.2})
    figures.add("pipeline", 3_000.0, {"relay": 0.3})
    figures.add("pipeline over HTTP", 900.0, {"relay": 0.3})
    return figures


@pytest.fixture
def result(figures: Figures) -> dict[str, Any]:
    return report.as_json(figures, Size(), MACHINE, "python -m bench")


def test_the_median_of_the_turns_counts(result: dict[str, Any]) -> None:
    assert result["per_second"]["floor"] == {"median": 200, "turns": [100, 300, 200]}
    assert result["ratios"]["billing"] == {"floor": 40.0, "ceiling": 0.4}
    assert result["lone_order_ms"]["lone orders"] == {"answer": {"median": 6.0, "p99": 7.0}, "letter": {"median": 20.0, "p99": 88.6}}


def test_cpu_is_told_a_message_and_what_used_none_is_left_out(result: dict[str, Any]) -> None:
    assert result["cpu_us"]["billing"] == {"billing": 50, "postgres": 100}


def test_what_was_not_reached_is_said(result: dict[str, Any]) -> None:
    assert report.expected(result) == [
        ["billing consumer: times the floor", "at least 30", "40"],
        ["billing consumer: times the ceiling", "at least 0.7", "0.4, not met"],
        ["pipeline: times its ceiling", "at least 0.6", "0.75"],
        ["pipeline over HTTP: share of its rate over Kafka", "at least 0.333", "0.3, not met"],
        ["lone order: median ms to its letter", "at most 30", "20"],
        ["lone order: p99 ms to its letter", "at most 80", "88.6, not met"],
        ["idle relay: % of a core", "at most 2", "3, not met"],
    ]


def test_placing_orders_is_compared_with_its_neighbours_that_were_measured(figures: Figures) -> None:
    for name, rate in {"bare view": 500.0, "placing": 450.0, "placing with keys": 350.0}.items():
        figures.add(name, rate, {"web": 0.9})
    result = report.as_json(figures, Size(), MACHINE, "python -m bench")

    assert result["ratios"]["placing"] == {"bare view": 0.9}
    assert report.expected(result)[3:5] == [
        ["orders placed over HTTP: the shop: times the bare view", "at least 0.8", "0.9"],
        ["the same with Idempotency-Key: times the bare view", "at least 0.8", "0.7, not met"],
    ]


def test_what_was_not_measured_is_left_out() -> None:
    figures = Figures()
    figures.add("notify", 100.0, {})
    result = report.as_json(figures, Size(), MACHINE, "python -m bench --only notify")

    assert [title for title, _, _ in report.tables(result)] == ["Messages or orders a second", "CPU a message, µs"]
    assert report.expected(result) == []


def test_results_are_written_for_people_and_for_programs(result: dict[str, Any], tmp_path: Path) -> None:
    report.write(result, tmp_path / "results")

    assert json.loads((tmp_path / "results" / "bench.json").read_text()) == result
    page = (tmp_path / "results" / "bench.md").read_text()
    assert "| billing consumer | 8,000 | 8,000 | 0.40 | 40.0 |" in page
    assert "a processor" in page
    assert "`python -m bench`" in page
