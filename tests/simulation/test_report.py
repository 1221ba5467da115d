"""What a run says at its end."""

from collections import Counter

from tests.simulation.report import Summary
from tests.simulation.workers import Outcome


def test_a_failing_seed_comes_with_the_line_that_replays_it() -> None:
    summary = Summary()
    summary.add(Outcome(1, orders=7))
    summary.add(Outcome(4711, failure="I2: order 3 was charged twice", orders=5, faults=Counter({"zombie": 2})))

    assert list(summary.failures()) == ['seed 4711: I2: order 3 was charged twice\n  make simulate ARGS="--seed 4711 --trace"']
    assert {("seeds", "2"), ("of these failed", "1"), ("orders", "12"), ("  zombie", "2")} <= set(summary.rows())


def test_of_many_failures_the_first_are_explained_and_the_rest_are_named() -> None:
    summary = Summary()
    for seed in range(12):
        summary.add(Outcome(seed, failure="I8"))

    assert list(summary.failures())[-1] == "and 2 more: 10 11"
