"""What a consumer holds of its group: the partitions assigned, claimed, verified and flowing."""

import contextlib
import time
from collections.abc import Callable, Sequence
from threading import Thread

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from consumers.failures import Fenced
from consumers.health import State
from consumers.logs import Standing, examine
from consumers.pausing import Wish
from consumers.positions import Claim, Log, Positions
from consumers.reading import Item
from consumers.routes import Route
from consumers.watch import Watch
from kafka_shop.databases import limited_transaction
from kafka_shop.messaging.kafka import BrokerAway, ClientLost, Inspector, Record, Subscription, log_identity

log = structlog.get_logger("consumers")

VERIFY_SECONDS = 5.0  # between two looks at the identity of the logs
LEAVE_SECONDS = 3.0


class PositionLost(Exception):
    """The log no longer has what the position points at. Its message says what a person can do."""


class Membership:
    """Claims what the group assigns, lets a partition flow once its log is verified, and forgets what is revoked."""

    def __init__(self, name: str, route: Route, alias: str, *, on_forget: Callable[[set[int]], None]) -> None:
        self.topic, self.group = settings.TOPICS[route.topic], route.group
        self.positions = Positions(alias, name, self.topic)
        self.claims: dict[int, Claim] = {}  # flowing
        self._assigned: set[int] = set()  # to be claimed
        self._claimed: dict[int, Claim] = {}  # to be verified
        self._on_forget = on_forget
        self._careful_until: dict[int, int] = {}
        self._verify_at = 0.0
        self._watch, self._wish = Watch(), Wish(name)
        self._committed: dict[int, int] = {}
        self.positions.read()  # what a person must mend, database or topic, is told before the group hears of this member
        self._inspector = Inspector()
        self._inspector.partitions(self.topic)
        self._subscription = self._subscribe()

    def settle(self, *, busy: bool) -> None:
        """Claims and verifies what is new, and now and then looks again at what flows. Raises database errors, BrokerAway, PositionLost."""
        try:
            self._settle(busy=busy)
        except BrokerAway:
            self._renew_inspector()  # an old one may go on asking a broker that no longer leads
            raise

    def _settle(self, *, busy: bool) -> None:
        if self._wish.changed():
            self._obey()
        if self._assigned:
            self._claimed.update({claim.partition: claim for claim in self.positions.claim(sorted(self._assigned))})
            self._assigned.clear()
        for claim in list(self._claimed.values()):
            self._start(claim)
        if time.monotonic() >= self._verify_at:
            self._verify_at = time.monotonic() + VERIFY_SECONDS
            self._verify(busy=busy)

    def take(self, limit: int, timeout: float) -> list[Record]:
        """Polls; rebalances happen in here. Raises BrokerMisused, PositionLost."""
        try:
            return self._subscription.take(limit, timeout)
        except ClientLost:
            self._rebuild("cannot go on")
            return []

    def give_up(self, partitions: set[int]) -> None:
        """Stops the flow of partitions whose claim was lost; they are claimed again while they stay assigned."""
        self._subscription.pause(partitions)
        for partition in partitions & self.claims.keys():
            del self.claims[partition]
            self._assigned.add(partition)

    @property
    def paused(self) -> bool:
        """Whether somebody wished that the consumer stands still. It stays a member of its group."""
        return self._wish.paused

    def pause(self) -> None:
        self._subscription.pause(self.claims)

    def resume(self) -> None:
        """Lets the claimed partitions flow, unless the consumer is to stand still."""
        if not self.paused:
            self._subscription.resume(self.claims)

    def commit(self) -> None:
        """Sends the positions that moved to Kafka, without waiting."""
        moved = {partition: claim.position for partition, claim in self.claims.items() if self._committed.get(partition) != claim.position}
        if moved:
            self._subscription.commit(moved)
            self._committed.update(moved)

    def lag(self) -> int:
        """Messages behind the end of the logs, as the broker says now; 1 while partitions are still to be claimed."""
        if self._assigned or self._claimed or not self.claims:
            return 1
        return sum(max(0, self._inspector.watermarks(self.topic, claim.partition).high - claim.position) for claim in self.claims.values())

    def states(self) -> dict[str, State]:
        """How each assigned partition is."""
        well = State.PAUSED if self.paused else State.OK
        flowing = {partition: State.STALLED if partition in self._watch.stalled else well for partition in self.claims}
        coming = dict.fromkeys(self._assigned | self._claimed.keys(), State.REBALANCING)
        return {str(partition): state for partition, state in sorted((flowing | coming).items())}

    def is_careful(self, record: Record) -> bool:
        """Whether messages near this one have killed the process."""
        return record.offset < self._careful_until.get(record.partition, 0)

    def note_lone(self, items: Sequence[Item]) -> None:
        """Stores the attempt at a message that may kill the process before it is tried; beyond the limit it is refused."""
        if len(items) != 1 or not self.is_careful(items[0].record):
            return
        item, claim = items[0], self.claims[items[0].record.partition]
        attempts = claim.lone_attempts if claim.lone_offset == item.record.offset else 0
        if attempts >= settings.MESSAGE_ATTEMPTS:
            item.refusal, item.attempts = "killed the process", attempts
            return
        claim.lone_offset, claim.lone_attempts = item.record.offset, attempts + 1
        if not self.positions.alone(claim, item.record.offset, attempts + 1):
            raise Fenced(f"partition {claim.partition} has another owner")

    def close(self) -> None:
        """Releases the claims and leaves the group, within LEAVE_SECONDS even when the broker does not answer."""
        self.commit()
        leave = Thread(target=self._subscription.close, daemon=True)
        self._release(set(self.claims) | set(self._claimed))
        leave.start()
        leave.join(LEAVE_SECONDS)

    def _subscribe(self) -> Subscription:
        return Subscription(self.group, self.topic, on_assigned=self._on_assigned, on_revoked=self._on_revoked)

    def _on_assigned(self, partitions: list[int]) -> None:
        log.info("assigned", consumer=self.positions.consumer, partitions=sorted(partitions))
        self._assigned.update(partitions)

    def _on_revoked(self, partitions: list[int]) -> None:
        log.info("revoked", consumer=self.positions.consumer, partitions=sorted(partitions))
        self.commit()
        self._on_forget(set(partitions))
        self._release(set(partitions))

    def _release(self, partitions: set[int]) -> None:
        """Gives claims back. Failing to is no harm: the next owner takes them all the same."""
        self._assigned -= partitions
        owned = [claims.pop(partition) for claims in (self.claims, self._claimed) for partition in partitions & claims.keys()]
        if owned:
            with contextlib.suppress(DatabaseError):
                self.positions.release(owned)

    def _start(self, claim: Claim) -> None:
        """Lets a claimed partition flow from its position, or from the beginning of a log that is new."""
        seen = Log(*log_identity(self._inspector, self.topic))
        standing, marks = examine(self._inspector, self.topic, claim, seen)
        if standing is Standing.OUT_OF_RANGE:
            raise self._lost(claim)
        changed = self.positions.reset(claim, marks.low, seen) if standing is Standing.NEW else self.positions.identify(claim, seen)
        if not changed:
            self._claimed.pop(claim.partition, None)
            self._assigned.add(claim.partition)
            raise Fenced(f"partition {claim.partition} has another owner")
        if standing is Standing.NEW:
            log.warning(
                "reading a log from its beginning",
                consumer=self.positions.consumer,
                partition=claim.partition,
                known=claim.log.cluster_id or None,
            )
            claim.position, claim.anchor, claim.lone_offset, claim.lone_attempts = marks.low, None, None, 0
        claim.log = seen
        if claim.stalled > 1:
            self._careful_until[claim.partition] = min(claim.position + settings.BATCH_SIZE, marks.high)  # what came later killed nobody
        self._subscription.start(claim.partition, claim.position)
        if self.paused:
            self._subscription.pause([claim.partition])
        self.claims[claim.partition] = self._claimed.pop(claim.partition)

    def _obey(self) -> None:
        """Stops what is claimed, or lets it flow. What the client has fetched of a paused partition is read again later."""
        log.warning("paused" if self.paused else "resumed", consumer=self.positions.consumer)
        if self.paused:
            self.pause()
        else:
            self.resume()

    def _verify(self, *, busy: bool) -> None:
        """Looks again whether the claims are still ours, the logs the ones that are read, and whether the client still hears."""
        if not self.claims:
            return
        self._confirm()
        seen = Log(*log_identity(self._inspector, self.topic))
        examined = {claim.partition: examine(self._inspector, self.topic, claim, seen) for claim in self.claims.values()}
        changed = {partition for partition, (standing, _) in examined.items() if standing is not Standing.SAME}
        if changed:
            self._on_forget(changed)
            self.give_up(changed)
        behind = {claim.partition: claim.position for claim in self.claims.values() if examined[claim.partition][1].high > claim.position}
        if self._watch.is_deaf({} if busy or self.paused else behind):
            self._rebuild("went deaf")  # librdkafka after a topic was made anew

    def _confirm(self) -> None:
        """Says in the progress rows that their owner lives. A row that another process claimed, or that an older database has, is given up.

        Without it a consumer at the end of its log would not notice before the next message. Raises Fenced.
        """
        with limited_transaction(self.positions.alias):
            owned = self.positions.beat(self.claims.values(), timezone.now())
        lost = self.claims.keys() - owned
        if lost:
            log.warning("fenced", consumer=self.positions.consumer, partitions=sorted(lost))
            self._on_forget(lost)
            self.give_up(lost)
            raise Fenced(f"partitions {sorted(lost)} have another owner or position")

    def _rebuild(self, problem: str) -> None:
        """Replaces the client; what is kept of its partitions is read again."""
        log.warning(f"the Kafka client {problem} and is replaced", consumer=self.positions.consumer)
        self._on_forget({*self._assigned, *self._claimed, *self.claims})
        self._assigned.clear()
        self.close()
        self._renew_inspector()
        self._subscription = self._subscribe()

    def _renew_inspector(self) -> None:
        self._inspector.close()
        self._inspector = Inspector()

    def _lost(self, claim: Claim) -> PositionLost:
        name = self.positions.consumer
        return PositionLost(
            f"{self.topic}[{claim.partition}] no longer has offset {claim.position}, where {name} stands: messages were deleted or the log "
            f"was truncated. Run `python manage.py audit`, then `run_consumer {name} --from earliest` (what is known changes nothing), "
            "and `republish --since TIME` for what is gone"
        )
