"""Keeps the shop's processes running, as a process manager does: what ends is started again."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

from tests.acceptance.worker import Worker
from tests.kafka.guardian import Guardian

LOOK_SECONDS = 0.1
PAUSE_SECONDS = 1.0  # between two starts of the same process
STOP_SECONDS = 60.0  # a bound for what hangs; the report has the time that was needed


class BadEnd(Exception):
    """A process did not end as it must."""


@dataclass
class Place:
    """A process that is to run, and the worker that runs as it now."""

    command: Sequence[str]
    environment: Mapping[str, str]
    worker: Worker
    started_at: float
    asked: bool = False  # to end


class Keeper:
    """Runs processes by name. `fates` counts those that ended though nobody killed or stopped them, by name and last words."""

    def __init__(self, logs: Path, environment: Mapping[str, str], guardian: Guardian) -> None:
        self.fates: Counter[str] = Counter()
        self._logs, self._guardian = logs, guardian
        self._environment = {**os.environ, **environment}
        self._places: dict[str, Place] = {}
        self._lock, self._over = Lock(), Event()
        self._thread = Thread(target=self._keep, daemon=True)
        self._thread.start()

    def start(self, name: str, command: Sequence[str], **environment: str) -> None:
        with self._lock:
            own = {**self._environment, **environment}
            self._places[name] = Place(command, own, Worker(command, own, self._logs / f"{name}.log"), time.monotonic())
            self._watch()

    def names(self, of: str) -> list[str]:
        """The names that begin so."""
        return [name for name in self._places if name.startswith(of)]

    def worker(self, name: str) -> Worker:
        """The process that runs by that name now."""
        return self._places[name].worker

    def kill(self, names: Iterable[str]) -> None:
        """Ends them all at once as a power cut does; they are started again."""
        for name in names:
            self._places[name].asked = True
            self._places[name].worker.kill()

    def stop(self, name: str) -> float | None:
        """Ends a process in good order, in so many seconds; it is started again. None when it had not yet come to listen to signals.

        Raises BadEnd for another exit code than 0.
        """
        place, begun = self._places[name], time.monotonic()
        place.asked = True
        worker = place.worker
        worker.terminate()
        code = worker.wait(STOP_SECONDS)
        if code == -signal.SIGTERM:
            return None
        if code:
            raise BadEnd(f"{name} ended with {code} on SIGTERM: {worker.last_words()[-1:]}")
        return time.monotonic() - begun

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self.kill(self._places)

    def _keep(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            for name, place in list(self._places.items()):
                if not place.worker.running and time.monotonic() > place.started_at + PAUSE_SECONDS:
                    self._start_again(name, place)

    def _start_again(self, name: str, place: Place) -> None:
        if not place.asked:
            last = next(iter(place.worker.last_words()[-1:]), "")
            self.fates[f"{name.rstrip('12-')}: {last[:300]}"] += 1
        with self._lock:
            place.worker = Worker(place.command, place.environment, self._logs / f"{name}.log")
            place.started_at, place.asked = time.monotonic(), False
            self._watch()

    def _watch(self) -> None:
        self._guardian.watch(place.worker.pid for place in self._places.values())
