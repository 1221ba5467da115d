"""The Kafka loop of one consumer: claim what is assigned, take a batch, apply it, say what became of it."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event as Flag

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from consumers import batch as transaction
from consumers import dead_letters, metrics, traces
from consumers.dead_letters import Flooded
from consumers.failures import Verdict, backoff_seconds, judge, reason
from consumers.health import Beat
from consumers.membership import Membership
from consumers.reading import Reader
from consumers.retrying import Batch, lone_pause_seconds, next_tries
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of
from kafka_shop.messaging.kafka import BrokerAway, OutOfRange, Record

log = structlog.get_logger("consumers")

POLL_SECONDS = 0.2
COMMIT_SECONDS = 0.25


@dataclass
class Tally:
    """What a loop has done since it started."""

    messages: int = 0
    batches: int = 0
    dead_letters: int = 0
    retries: int = 0
    foreign: int = 0


class Loop:
    """Runs one consumer. All state but the progress rows is this object's, and may be lost at any moment."""

    def __init__(self, name: str, beat: Beat = lambda states: None) -> None:
        self.name, self.route, self.tally = name, ROUTES[name], Tally()
        self._beat = beat
        self.membership = Membership(name, self.route, alias_of(name), on_forget=self._forget)
        self._reader = Reader({kind.type: kind for kind in self.route.handlers})
        self._batches: deque[Batch] = deque()
        self._stop = Flag()
        self._failures = 0  # transient ones in a row
        self._commit_at = 0.0

    def stop(self) -> None:
        """Asks the loop to end after the batch in hand; safe in a signal handler."""
        self._stop.set()

    def run(self, finished: Callable[["Loop"], bool] = lambda loop: False, each_turn: Callable[["Loop"], None] = lambda loop: None) -> None:
        """Runs until `stop` is called, `finished` says so, or an error that only a person can mend is raised."""
        try:
            while not self._stop.is_set() and not finished(self):
                self.run_once()
                each_turn(self)
        finally:
            self.close()

    def run_once(self) -> None:
        """One turn: new partitions are claimed and verified, then one batch is taken and tried."""
        self._beat(self.membership.states())
        close_old_connections()
        try:
            self.membership.settle(busy=bool(self._batches))
        except Exception as error:
            self._postpone(error)
            return
        if self.membership.paused:
            self._take(1, POLL_SECONDS)  # the group keeps a member that polls; what is in hand waits
        else:
            self._work()
        self._commit()

    def _work(self) -> None:
        """Takes a batch when none is in hand, and tries one."""
        if not self._batches:
            self._failures = 0
            self._take(settings.BATCH_SIZE, POLL_SECONDS)
        if self._batches:
            self._attempt(self._batches.popleft())

    def close(self) -> None:
        """Gives the partitions back and leaves the group."""
        self._batches.clear()
        self.membership.close()

    @property
    def idle(self) -> bool:
        """Nothing in hand, and every partition read to its end, as far as the broker says."""
        try:
            return not self._batches and self.membership.lag() == 0
        except BrokerAway:
            return False

    def _take(self, limit: int, timeout: float) -> None:
        """Polls and keeps what came. When an offset is not there, every partition is claimed and verified anew.

        What the same poll gave of other partitions is lost with the error: they are read again from their positions.
        """
        try:
            self._keep(self.membership.take(limit, timeout))
        except OutOfRange:
            partitions = set(self.membership.claims)
            self.membership.give_up(partitions)
            self._forget(partitions)

    def _keep(self, records: Iterable[Record]) -> None:
        """Takes in what a poll gave. What may have killed the process runs by itself, before the rest of its partition."""
        suspects = self.membership.suspects
        items = [self._reader.read(record) for record in records if record.partition in self.membership.claims]
        self._batches.extend(Batch([item]) for item in items if item.record in suspects)
        rest = [item for item in items if item.record not in suspects]
        if rest:
            self._batches.append(Batch(rest))

    def _forget(self, partitions: set[int]) -> None:
        """Drops what is kept of partitions that are no longer ours, a batch under retry included."""
        kept = (Batch([item for item in each.items if item.record.partition not in partitions], each.raced) for each in self._batches)
        self._batches = deque(each for each in kept if each.items)

    def _attempt(self, batch: Batch) -> None:
        """Tries one batch, and leaves in `_batches` what has still to be done."""
        try:
            self.membership.suspects.count(batch.items, self.membership.claims)
            count = transaction.apply(
                batch.items,
                handlers=self.route.handlers,
                positions=self.membership.positions,
                claims=self.membership.claims,
                now=timezone.now(),
            )
        except Exception as error:
            self._failed(batch, error)
        else:
            self._applied(batch, count)

    def _applied(self, batch: Batch, count: int) -> None:
        done, rest = batch.items[:count], batch.items[count:]
        self._failures = 0
        self.tally.messages += count
        self.tally.batches += 1
        self.tally.dead_letters += sum(1 for item in done if item.refusal)
        self.tally.foreign += sum(1 for item in done if not item.refusal and item.event is None)
        dead_letters.tell(self.name, done)
        traces.tell(self.name, done)
        if rest:
            self._batches.appendleft(Batch(rest))

    def _failed(self, batch: Batch, error: Exception) -> None:
        """Decides by the error's verdict. Every way but STOP leaves the batch's messages to be tried again."""
        verdict = judge(error)
        if verdict is Verdict.STOP or isinstance(error, Flooded):
            raise error
        if verdict is Verdict.CLAIM:
            self._refence(batch, error)
        elif tries := next_tries(batch, error, verdict):
            self._batches.extendleft(reversed(tries))
            self._wait(sum(lone_pause_seconds(each) for each in tries))
        else:
            self._batches.appendleft(batch)
            self._postpone(error)

    def _refence(self, batch: Batch, error: Exception) -> None:
        """Another owner, or another database: drop what was read, let the group speak, claim again what is still assigned."""
        partitions = {item.record.partition for item in batch.items}
        log.warning("fenced", consumer=self.name, partitions=sorted(partitions), reason=str(error))
        self.membership.give_up(partitions)
        self._forget(partitions)
        self._wait(random.uniform(0.05, 0.3))

    def _postpone(self, error: Exception) -> None:
        """Waits out a transient failure with back-off. Anything else is raised."""
        if judge(error) not in {Verdict.AGAIN, Verdict.BISECT, Verdict.CLAIM}:
            raise error
        self._failures += 1
        self.tally.retries += 1
        metrics.RETRIES.labels(self.name).inc()
        first_ms, longest_ms = settings.RETRY_BACKOFF_MS
        pause = backoff_seconds(self._failures, first_ms=first_ms, longest_ms=longest_ms, jitter=random.random())
        log.warning("trying again", consumer=self.name, attempt=self._failures, pause_seconds=round(pause, 2), reason=reason(error))
        self._wait(pause)

    def _wait(self, seconds: float) -> None:
        """Lets time pass with the partitions paused, polling on, so that the group keeps this member."""
        if not seconds:
            return
        until = time.monotonic() + seconds
        self.membership.pause()
        try:
            while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
                self._take(1, min(left, POLL_SECONDS))
                self._beat(self.membership.states())
        finally:
            self.membership.resume()

    def _commit(self) -> None:
        """Lets Kafka's offsets follow, a few times a second."""
        if time.monotonic() >= self._commit_at:
            self._commit_at = time.monotonic() + COMMIT_SECONDS
            self.membership.commit()
