"""The relay process: a courier a destination, a lookout a database that calls them, and what only now and then is done."""

import math
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event as Flag
from threading import Thread

import structlog
from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone

from consumers import metrics, republication
from consumers.failures import Verdict, judge, reason
from consumers.health import LONGEST_TURN_SECONDS, Beat, State
from consumers.room import EmbeddedRoom
from consumers.routes import PUBLISHERS, READERS, ROUTES, SWEEPS
from kafka_shop.api import idempotency
from kafka_shop.databases import alias_of, limited_transaction, rows, served_aliases
from kafka_shop.messaging.http import IDLE_TRANSACTION_SECONDS, Away, HttpCarrier
from kafka_shop.messaging.kafka import Inspector, warm
from kafka_shop.messaging.lookout import Lookout
from kafka_shop.messaging.relay import FULL_SCAN_SECONDS, Courier, over_kafka, to_all

log = structlog.get_logger("relay")

EXPECTANT_SECONDS, SHORTEST_SECONDS, LONGEST_SECONDS = 0.001, 0.002, 0.1  # between two looks at the outbox
SHARE_OF_QUIET = 0.05  # the pause grows with the quiet before it
FEW_ROWS = 100  # a turn that found fewer has left none
SWEEP_SECONDS = 5.0
SWEEP_ROWS = 200
LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('sweep'), hashtext(%s))"


class Relay:
    """Publishes and sweeps for the services that this process serves."""

    def __init__(self, beat: Beat = lambda states: None) -> None:
        self._stop = Flag()
        self._problem: Exception | None = None
        self._beat = beat
        self.published = 0
        self._couriers = couriers()
        self._due = {courier.destination: math.inf for courier in self._couriers}  # when its turn is over at the latest
        self._calls = {courier.destination: Flag() for courier in self._couriers}  # set while the courier is at work

    @property
    def destinations(self) -> list[str]:
        """Where it publishes to."""
        return [courier.destination for courier in self._couriers]

    def stop(self) -> None:
        """Asks all threads to end after the turn in hand; safe in a signal handler."""
        self._stop.set()

    def run(self, each_turn: Callable[["Relay"], None] = lambda relay: None) -> None:
        """Runs until `stop` is called; raises what only a person can mend, and at the start database errors and BrokerAway."""
        self._refuse_unusable()
        by_alias = [[each for each in self._couriers if each.alias == alias] for alias in {each.alias for each in self._couriers}]
        work = [*((self._carry, each) for each in self._couriers), *((self._look_out, each) for each in by_alias), (self._tend,)]
        threads = [Thread(target=self._guarded, args=each, daemon=True) for each in work]
        for thread in threads:
            thread.start()
        while not self._stop.wait(0.2):
            self._beat(self.states())
            each_turn(self)
        for call in self._calls.values():
            call.set()
        for thread in threads:
            thread.join(timeout=4)
        if self._problem:
            raise self._problem

    def pending(self) -> int:
        """Rows that wait in the outboxes. Raises database errors."""
        close_old_connections()
        return sum(
            int(rows(alias, "SELECT count(*) FROM messaging_outboxrow WHERE refused = ''")[0][0])
            for alias in {each.alias for each in self._couriers}
        )

    def states(self) -> dict[str, State]:
        """How each destination is: stalled when its courier does not come back from a turn."""
        now = time.monotonic()
        return {destination: State.OK if now < due else State.STALLED for destination, due in sorted(self._due.items())}

    def _refuse_unusable(self) -> None:
        """A database or topic that is not there is told at once; later on it is waited for."""
        self.pending()
        if settings.TRANSPORT == "http":
            return
        inspector = Inspector()
        try:
            for courier in self._couriers:
                inspector.partitions(settings.TOPICS[courier.destination])
        finally:
            inspector.close()
        warm()

    def _guarded(self, work: Callable[..., None], *args: object) -> None:
        """A thread's life: whatever ends it early ends the relay."""
        try:
            work(*args)
        except Exception as error:
            self._problem = error
            self._stop.set()
        finally:
            connections.close_all()

    def _carry(self, courier: Courier) -> None:
        """Turn after turn while there are rows; then waits to be called, and once a second looks for itself."""
        call = self._calls[courier.destination]
        while not self._stop.is_set():
            self._due[courier.destination] = time.monotonic() + LONGEST_TURN_SECONDS + courier.idle_seconds
            published = self._try(lambda: courier.turn(timezone.now(), called=call.is_set()))
            self.published += published
            metrics.PUBLISHED.labels(courier.destination).inc(published)
            if published < FEW_ROWS:
                call.clear()
                call.wait(FULL_SCAN_SECONDS)

    def _look_out(self, couriers: Sequence[Courier]) -> None:
        """Calls the couriers of one database, at once while there is something to do, later the longer all is quiet."""
        lookout, last_busy = Lookout(couriers[0].alias), time.monotonic()
        while not self._stop.is_set():
            if self._try(lambda: self._call(lookout, couriers)):
                last_busy = time.monotonic()
            self._stop.wait(EXPECTANT_SECONDS if lookout.expectant else pause_seconds(time.monotonic() - last_busy))

    def _call(self, lookout: Lookout, couriers: Sequence[Courier]) -> int:
        """Calls those who rest although there are rows; returns how many are at work."""
        for courier in lookout.look([each for each in couriers if not self._calls[each.destination].is_set()], timezone.now()):
            self._calls[courier.destination].set()
        return sum(self._calls[each.destination].is_set() for each in couriers)

    def _tend(self) -> None:
        """Sweeps and looks after the logs, every few seconds; a republication goes on step by step in between."""
        while not self._stop.is_set():
            self._try(lambda: sweep(timezone.now()))
            if settings.TRANSPORT == "kafka":
                self._try(lambda: republication.watch_logs(timezone.now()))
            until = time.monotonic() + SWEEP_SECONDS
            while time.monotonic() < until and not self._stop.is_set():
                if not self._try(lambda: republication.step(timezone.now())):
                    self._stop.wait(0.5)

    def _try(self, work: Callable[[], int]) -> int:
        """Runs a step; waits out what is transient and raises the rest."""
        try:
            return work()
        except Exception as error:
            if judge(error) in {Verdict.STOP, Verdict.POISON} and not isinstance(error, Away):
                raise
            log.warning("trying again", reason=reason(error))
            self._stop.wait(random.uniform(0.5, 1) * (error.seconds if isinstance(error, Away) else 1))
            close_old_connections()  # not before each step: it would ask the database whether it is there
            return 0


def pause_seconds(quiet_seconds: float) -> float:
    """Between two looks at the outbox: milliseconds while there is something to do, a tenth of a second after a while without."""
    return min(max(quiet_seconds * SHARE_OF_QUIET, SHORTEST_SECONDS), LONGEST_SECONDS)


def couriers() -> list[Courier]:
    """One for each destination of the services that this process serves."""
    return [courier(destination) for destination, service in PUBLISHERS.items() if service in settings.SERVICES]


def courier(destination: str) -> Courier:
    """Carries a destination's facts from its publisher's outbox by the transport of the settings."""
    alias, readers = alias_of(PUBLISHERS[destination]), READERS[destination]
    if settings.TRANSPORT == "http":
        carriers = [HttpCarrier(events_url(reader), settings.SERVICE_TOKEN) for reader in readers]
        return Courier(alias, destination, to_all(carriers), idle_seconds=IDLE_TRANSACTION_SECONDS * len(carriers))
    topic = settings.TOPICS[destination]
    return Courier(alias, destination, over_kafka(topic), EmbeddedRoom(topic, [ROUTES[reader].group for reader in readers]))


def events_url(service: str) -> str:
    """Where a service takes events over HTTP."""
    return f"{settings.SERVICE_URLS[service].rstrip('/')}/api/v1/{service}/events/"


def sweep(now: datetime) -> int:
    """Publishes again what has waited too long for its answer; one relay of a database at a time. Returns how many facts.

    Forgets old idempotency keys besides.
    """
    count = 0
    for alias in served_aliases():
        idempotency.purge(alias, now - idempotency.KEPT, idempotency.PURGED)
    for service, republish_pending in SWEEPS.items():
        if service in settings.SERVICES:
            with limited_transaction(alias_of(service)):
                [(mine,)] = rows(alias_of(service), LOCK, service)
                if mine:
                    count += republish_pending(now=now, after_seconds=settings.SWEEP_AFTER_SECONDS, limit=SWEEP_ROWS)
    return count
