"""Runs histories, in this process or in several, each on a database of its own."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from typing import Any

import django

SESSIONS = 12  # more than a history has processes
CHUNK = 4  # seeds that a worker takes at once


@dataclass
class Outcome:
    """What came of one seed. failure: what does not hold, in one line, or ""."""

    seed: int
    failure: str = ""
    orders: int = 0
    deliveries: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


def set_up() -> None:
    """Sets Django up for simulations, whatever the environment says. Once a process."""
    import tests.environment  # noqa: F401  it sets variables that Django reads when it is set up

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kafka_shop.settings")
    django.setup()


def run(seeds: Sequence[int], workers: int) -> Iterator[Outcome]:
    """The outcomes in the order of the seeds."""
    from tests.simulation import databases

    with databases.migrated() as template:
        if workers == 1:
            _open(template)
            yield from map(_simulate, seeds)
            return
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start, initargs=(template,))
        try:
            yield from pool.map(_simulate, seeds, chunksize=CHUNK)
        finally:
            pool.shutdown(cancel_futures=True)


_runner: Any = None  # of this process


def _start(template: str) -> None:
    set_up()
    _open(template)


def _open(template: str) -> None:
    global _runner
    from tests.simulation.runner import Runner

    _runner = Runner(template)


def _simulate(seed: int) -> Outcome:
    """Raises SystemExit when the process that asked for it is gone."""
    parent = parent_process()
    if parent and not parent.is_alive():
        sys.exit(1)
    outcome: Outcome = _runner.simulate(seed)
    return outcome
