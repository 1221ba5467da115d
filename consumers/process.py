"""What every long-lived process shares: signals that set a flag, errors that end it in one line, a line of progress for people."""

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread, Timer
from typing import Protocol

import structlog
from django.core.management.base import CommandError
from django.db import Error as DatabaseError
from django.db import OperationalError, ProgrammingError

from consumers.dead_letters import Flooded
from consumers.health import HeartbeatFailed
from consumers.membership import PositionLost
from consumers.metrics import MetricsFailed
from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused

log = structlog.get_logger("process")

SIGNALS = {signal.SIGTERM, signal.SIGINT}
END_SECONDS = 4.0  # from the first signal to the end
YOUNG_OBJECTS = 20_000
PROGRESS_SECONDS = 1.0
QUIET_PROGRESS_SECONDS = 30.0


def spare_collector() -> None:
    """Spares the garbage collector what is loaded, and new objects a look every few hundred: a batch makes many, and no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


class Stoppable(Protocol):
    def stop(self) -> None: ...


def stop_on_signals(worker: Stoppable) -> None:
    """SIGTERM and Ctrl-C let the worker finish what it has in hand, for END_SECONDS at most; a second signal ends the process at once.

    A thread waits for them: the main one may be inside the Kafka client for seconds, and runs no signal handler there.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    Thread(target=obey, args=(worker,), daemon=True).start()


def obey(worker: Stoppable) -> None:
    signal.sigwait(SIGNALS)
    worker.stop()
    last = Timer(END_SECONDS, os._exit, [0])  # what is in hand is rolled back, as by kill -9
    last.daemon = True
    last.start()
    os._exit(128 + signal.sigwait(SIGNALS))


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns what a person can mend into a CommandError: one line on stderr, exit code 1, no traceback."""
    try:
        yield
    except (BrokerAway, BrokerMisused, PositionLost, Flooded, HeartbeatFailed, MetricsFailed) as error:
        raise CommandError(str(error)) from error
    except OperationalError as error:
        raise CommandError(f"the database does not answer: {first_line(error)}; see DATABASE_URL and `python manage.py doctor`") from error
    except ProgrammingError as error:
        raise CommandError(
            f"the database is not as this version needs it: {first_line(error)}; run `python manage.py migrate_all`"
        ) from error


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


class Progress:
    """Rate, lag and time to drain: one line that is written over on a terminal, a log line now and then elsewhere."""

    def __init__(self, name: str) -> None:
        self._name, self._terminal = name, sys.stderr.isatty()
        self._every = PROGRESS_SECONDS if self._terminal else QUIET_PROGRESS_SECONDS
        self._at, self._count = time.monotonic(), 0

    def show(self, count: int, lag: Callable[[], int]) -> None:
        """count: messages so far; lag is asked only when there is something to show."""
        elapsed = time.monotonic() - self._at
        if elapsed < self._every:
            return
        rate = (count - self._count) / elapsed
        if self._terminal:
            sys.stderr.write(f"\r\033[K{self._name}: {count:,} messages, {describe(rate, answered(lag))}")
            sys.stderr.flush()
        elif rate:
            log.info("progress", consumer=self._name, messages=count, rate=round(rate), lag=answered(lag))
        self._at, self._count = time.monotonic(), count


def answered(lag: Callable[[], int]) -> int | None:
    """The lag, or None while broker or database do not answer: a line of progress ends no process."""
    try:
        return lag()
    except (BrokerAway, DatabaseError):
        return None


def describe(rate: float, lag: int | None) -> str:
    """A rate in messages a second and a lag, in words."""
    if lag is None:
        return f"{rate:,.0f}/s, how much waits is not known now"
    if not lag:
        return f"{rate:,.0f}/s, nothing waits"
    drained = f"drained in {lag / rate:,.0f} s" if rate else "standing still"
    return f"{rate:,.0f}/s, {lag:,} wait, {drained}"
