"""What a consumer holds of its group: the partitions assigned, claimed, verified and flowing."""

import contextlib
import time
from collections.abc import Callable
from threading import Thread

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from consumers.failures import Fenced
from consumers.health import State
from consumers.logs import Logs, Standing
from consumers.pausing import Wish
from consumers.positions import Claim, Positions
from consumers.routes import Route
from consumers.suspects import Suspects
from consumers.watch import Watch
from kafka_shop.databases import limited_transaction
from kafka_shop.messaging.kafka import BrokerAway, ClientLost, Record, Subscription

log = structlog.get_logger("consumers")

VERIFY_SECONDS = 5.0  # between two looks at the identity of the logs
LEAVE_SECONDS = 3.0


class PositionLost(Exception):
    """The log no longer has what the position points at. Its message says what a person can do."""

    def __init__(self, name: str, topic: str, partition: int, offset: int) -> None:
        super().__init__(
            f"{topic}[{partition}] no longer has offset {offset}, where {name} stands: messages were deleted or the log "
            f"was truncated. Run `python manage.py audit`, then `run_consumer {name} --from earliest` (what is known changes nothing), "
            "and `republish --since TIME` for what is gone"
        )


class Membership:
    """Claims what the group assigns, lets a partition flow once its log is verified, and forgets what is revoked."""

    def __init__(self, name: str, route: Route, alias: str, *, on_forget: Callable[[set[int]], None]) -> None:
        self.topic, self.group = settings.TOPICS[route.topic], route.group
        self.positions = Positions(alias, name, self.topic)
        self.suspects = Suspects(self.positions)
        self.claims: dict[int, Claim] = {}  # flowing
        self._assigned: set[int] = set()  # to be claimed
        self._claimed: dict[int, Claim] = {}  # to be verified
        self._on_forget = on_forget
        self._verify_at = 0.0
        self._watch, self._wish = Watch(), Wish(name)
        self._committed: dict[int, int] = {}
        self.positions.read()  # what a person must mend, database or topic, is told before the group hears of this member
        self._logs = Logs(self.topic)
        self._subscription = self._subscribe()

    def settle(self, *, busy: bool) -> None:
        """Claims and verifies what is new, and now and then looks again at what flows. Raises database errors, BrokerAway, PositionLost."""
        try:
            self._settle(busy=busy)
        except BrokerAway:
            self._logs.renew()
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
        return sum(max(0, self._logs.high(claim.partition) - claim.position) for claim in self.claims.values())

    def states(self) -> dict[str, State]:
        """How each assigned partition is."""
        well = State.PAUSED if self.paused else State.OK
        flowing = {partition: State.STALLED if partition in self._watch.stalled else well for partition in self.claims}
        coming = dict.fromkeys(self._assigned | self._claimed.keys(), State.REBALANCING)
        return {str(partition): state for partition, state in sorted((flowing | coming).items())}

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
        """Lets a claimed partition flow."""
        high = self._place(claim)
        if claim.stalled > 1:
            self.suspects.suspect(claim, high)
        self._subscription.start(claim.partition, claim.position)
        if self.paused:
            self._subscription.pause([claim.partition])
        self.claims[claim.partition] = self._claimed.pop(claim.partition)

    def _place(self, claim: Claim) -> int:
        """Leaves a claim at its position, or puts it at the beginning of a log that is new. Returns the log's end."""
        seen = self._logs.identity()
        standing, marks = self._logs.examine(claim, seen)
        if standing is Standing.OUT_OF_RANGE:
            raise PositionLost(self.positions.consumer, self.topic, claim.partition, claim.position)
        new = standing is Standing.NEW
        if not (self.positions.reset(claim, marks.low, seen) if new else self.positions.identify(claim, seen)):
            self._assigned.add(self._claimed.pop(claim.partition).partition)
            raise Fenced(f"partition {claim.partition} has another owner")
        if new:
            known = claim.log.cluster_id or None
            log.warning("reading a log from its beginning", consumer=self.positions.consumer, partition=claim.partition, known=known)
            claim.position, claim.anchor, claim.lone_offset, claim.lone_attempts = marks.low, None, None, 0
        claim.log = seen
        return marks.high

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
        seen = self._logs.identity()
        examined = {claim.partition: self._logs.examine(claim, seen) for claim in self.claims.values()}
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
        self._logs.renew()
        self._subscription = self._subscribe()
