"""All points of many scenarios, by workers that each have a database and logs of their own."""

import gc
import logging
import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.test import Client

from consumers import loop, membership, pausing
from kafka_shop.messaging import relay
from notify.letters import form_of
from notify.models import Outcome as End
from tests.crash import world
from tests.crash.brokers import Broker
from tests.crash.experiment import Recorded, crash, record
from tests.crash.people import LONG_AGO

FORK = multiprocessing.get_context("fork")
# what workers, forked when it is known, have to know
RECORDED: dict[str, Recorded] = {}
BROKERS: list[Broker] = []  # the one of this run


class Outcome(NamedTuple):
    """What came of one point; `wrong` is empty when nothing was lost or doubled."""

    scenario: str
    number: int
    wrong: str


def begin(names: Sequence[str], broker: Broker, workers: int) -> dict[str, Recorded]:
    """Prepares and records the scenarios. Raises ChildFailed when one does not work even without a crash."""
    BROKERS[:] = [broker]
    hasten()
    world.make_databases(workers)
    with pool_of(workers) as pool:
        RECORDED.update((each.name, each) for each in pool.map(recording, names, chunksize=1))
    return RECORDED


def recording(name: str) -> Recorded:
    return record(name, *BROKERS)


def all_points() -> list[tuple[str, int]]:
    """Scenario and number of every point that was recorded."""
    return [(name, number) for name, recorded in RECORDED.items() for number in recorded.points]


def crash_at(points: Sequence[tuple[str, int]], workers: int) -> Iterator[Outcome]:
    """Each point's outcome, in any order."""
    with pool_of(workers) as pool:
        yield from pool.imap_unordered(outcome, points)


def outcome(point: tuple[str, int]) -> Outcome:
    name, number = point
    return Outcome(name, number, crash(RECORDED[name], number, *BROKERS))


@contextmanager
def pool_of(workers: int) -> Iterator[Pool]:
    """Workers that connect to nothing themselves: what they do, a child of theirs does."""
    numbers = FORK.SimpleQueue()
    for number in range(workers):
        numbers.put(number)
    with tempfile.TemporaryDirectory() as folder, FORK.Pool(workers, initializer=settle_in, initargs=(numbers, Path(folder))) as pool:
        yield pool


def settle_in(numbers: Any, folder: Path) -> None:
    number = numbers.get()
    own = folder / str(number)
    own.mkdir()
    world.stand_on(number, own)


def hasten() -> None:
    """Leaves out what only costs time, imports what every child needs, and does away with what may differ from run to run."""
    logging.disable(logging.CRITICAL)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.RETRY_BACKOFF_MS = (1, 2)
    settings.SWEEP_AFTER_SECONDS = LONG_AGO.seconds // 2  # longer than a run takes: only what a scenario wants swept is swept
    loop.COMMIT_SECONDS = 0
    membership.VERIFY_SECONDS = pausing.LOOK_SECONDS = 3600
    relay.LONGEST_BACKOFF_SECONDS = 0.001
    Client().get("/live", headers={"host": "localhost"})
    for outcome in End.values:
        form_of(settings.LANGUAGE_CODE, outcome, "")
    gc.collect()
    gc.freeze()  # a child's collector then finds little to look at
