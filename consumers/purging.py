"""What may be forgotten after a while, and how: in small steps, each a transaction, with as much rest between them as they took."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event as Flag
from typing import Protocol

from kafka_shop.api.idempotency import OldKeys
from kafka_shop.databases import alias_of, served_aliases
from kafka_shop.purging import OldRows
from notify.services import raise_horizon

STEP_ROWS = 2000
LONGEST_REST_SECONDS = 1.0
CLOCKS_DIFFER = timedelta(hours=1)  # at most: a letter that was written so long before the horizon is of an end before it


class Old(Protocol):
    """What can be deleted step by step."""

    def count(self) -> int: ...

    def step(self, limit: int) -> int | None:
        """Deletes at most `limit` rows in a transaction of its own; returns how many, None at the end."""


@dataclass(frozen=True)
class Purge:
    """Something that is forgotten: its name in the plural, where it lies, and what has to be done before the first is deleted."""

    name: str
    olds: list[Old]
    prepare: Callable[[], None] = lambda: None

    def count(self) -> int:
        """How many rows would be deleted."""
        return sum(old.count() for old in self.olds)


def letters(before: datetime) -> Purge:
    """Letters that were written before a time. From then on no letter comes any more of an end that an order came to before it."""
    old = OldRows(alias_of("notify"), "notify_letter", before - CLOCKS_DIFFER)
    return Purge("letters", [old], lambda: raise_horizon(to=before))


def keys(before: datetime) -> Purge:
    """Idempotency keys that were used first before a time."""
    return Purge("keys", [OldKeys(alias, before) for alias in served_aliases()])


def events(before: datetime) -> Purge:
    """Dead letters that were closed before a time, with the messages that they keep. Open ones stay, however old."""
    closed = f"closed_at < '{before.isoformat()}'"
    return Purge("events", [OldRows(alias, "consumers_deadletter", before, closed) for alias in served_aliases()])


PURGES: dict[str, Callable[[datetime], Purge]] = {"letters": letters, "keys": keys, "events": events}


class Purger:
    """Works purges off until it is stopped."""

    def __init__(self) -> None:
        self._stop = Flag()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """Asks it to end after the step in hand; safe from any thread."""
        self._stop.set()

    def run(self, purge: Purge, advance: Callable[[int], object] = bool) -> int:
        """Deletes what a purge names; `advance` is told of each step. Returns how many rows. Raises database errors."""
        purge.prepare()
        return sum(self._all_of(old, advance) for old in purge.olds)

    def _all_of(self, old: Old, advance: Callable[[int], object]) -> int:
        total = 0
        while not self.stopped:
            begun = time.monotonic()
            deleted = old.step(STEP_ROWS)
            if deleted is None:
                break
            total += deleted
            advance(deleted)
            self._stop.wait(min(time.monotonic() - begun, LONGEST_REST_SECONDS))
        return total
