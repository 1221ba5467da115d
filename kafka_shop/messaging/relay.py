"""Carries the outbox of one database to one destination: at least once, in order, and never by a range of numbers."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

import structlog

from kafka_shop.databases import columns, limited_transaction, rows, run
from kafka_shop.messaging.envelope import from_json, to_kafka
from kafka_shop.messaging.kafka import Outgoing, Refusal, send

log = structlog.get_logger("relay")

WINDOW = 2000  # rows a turn
WINDOW_BYTES = 1024 * 1024
TURN_SECONDS = 5.0
FULL_SCAN_SECONDS = 1.0
FULL_SCAN_SHARE = 0.05  # of the time: where an old transaction keeps millions of deleted rows, it takes seconds to pass over them
MARGIN = 2000  # numbers below the last one published that are still looked at: some commit late
LONGEST_BACKOFF_SECONDS = 5.0

LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('outbox'), hashtext(%s))"
# The destination may be waited for so long. A deletion that is lost with the machine is a fact published twice, which hurts nobody.
IDLE = "SET LOCAL idle_in_transaction_session_timeout = '{}s'; SET LOCAL synchronous_commit = off"
# new rows above a number, then those that were put back: the order of the index outbox_pending
WAITS = """
SELECT FROM messaging_outboxrow
WHERE destination = %s AND refused = '' AND (resent, number) > (false, %s) AND (not_before IS NULL OR not_before <= %s)
ORDER BY resent, number LIMIT 1
"""
PENDING = """
SELECT number, key, event, resent FROM messaging_outboxrow
WHERE destination = %s AND refused = '' AND (resent, number) > (false, %s) AND (not_before IS NULL OR not_before <= %s)
ORDER BY resent, number LIMIT %s
"""
DELETE = "DELETE FROM messaging_outboxrow WHERE number = ANY(%s)"
POSTPONE = """
UPDATE messaging_outboxrow AS o SET attempts = o.attempts + 1, not_before = f.not_before
FROM unnest(%s::bigint[], %s::timestamptz[]) AS f(number, not_before) WHERE o.number = f.number
"""
SET_ASIDE = """
UPDATE messaging_outboxrow AS o SET attempts = o.attempts + 1, refused = f.reason
FROM unnest(%s::bigint[], %s::text[]) AS f(number, reason) WHERE o.number = f.number
"""

Row = tuple[int, str, bytes]
Outcome = tuple[list[int], dict[int, Refusal]]  # the acknowledged numbers, and the refusals
Carrier = Callable[[Sequence[Row]], Outcome]


@dataclass
class Courier:
    """Carries the rows of one destination. Several may stand by: an advisory lock lets one at a time work."""

    alias: str
    destination: str
    carry: Carrier
    room: Callable[[], bool] = lambda: True  # whether the destination has room for another window
    idle_seconds: int = 8  # how long the transaction may wait for the destination
    hint: int = 0  # no pending row is known at or below it
    _full_scan_at: float = 0.0

    def turn(self, now: datetime, *, called: bool = False) -> int:
        """Publishes one window of rows and deletes exactly those that were acknowledged; returns how many.

        Without rows it costs one question; called: the lookout has asked it already. The transaction holds the lock and nothing else while
        the destination is waited for: no row lock, no write, no snapshot.
        """
        begun = time.monotonic()
        start = 0 if begun >= self._full_scan_at else self.hint
        if not called and not self._waits(start, now):
            self._looked(start, begun)
            return 0
        with limited_transaction(self.alias):
            [(mine,)] = rows(self.alias, LOCK, self.destination)
            pending = self._pending(start, now) if mine and self.room() else []
            self._looked(start, begun)
            if not pending:
                return 0
            # a command without a snapshot also ends that of the SELECT, which would hold vacuum back
            run(self.alias, IDLE.format(self.idle_seconds))
            acknowledged, refused = self.carry(pending)
            self._settle(pending, acknowledged, refused, now)
            return len(acknowledged)

    def _looked(self, start: int, begun: float) -> None:
        """Rows are looked for above the hint, for speed; about once a second from the beginning, for correctness."""
        if start == 0:
            now = time.monotonic()
            self._full_scan_at = now + max(FULL_SCAN_SECONDS, (now - begun) / FULL_SCAN_SHARE)

    def _waits(self, start: int, now: datetime) -> bool:
        """Whether there is a new row, or one that was put back."""
        return bool(rows(self.alias, WAITS, self.destination, start, now))

    def _pending(self, start: int, now: datetime) -> list[Row]:
        """New rows above a number; where they leave room, rows that were put back."""
        found = rows(self.alias, PENDING, self.destination, start, now, WINDOW)
        pending: list[Row] = [(number, key, event) for number, key, event, _ in found]
        pending = pending[: fitting(pending)]
        new = [number for number, _, _, resent in found[: len(pending)] if not resent]
        if new:
            self.hint = max(start, new[-1] - MARGIN)
        return pending

    def _settle(self, pending: Sequence[Row], acknowledged: Sequence[int], refused: dict[int, Refusal], now: datetime) -> None:
        """Deletes what arrived, sets aside what never will, and postpones the rest, so that it holds up no other row."""
        never = [(number, refusal.reason) for number, refusal in refused.items() if refusal.for_good]
        missing = {number for number, _, _ in pending} - set(acknowledged) - {number for number, _ in never}
        later = [(number, now + timedelta(seconds=random.uniform(0.5, 1) * LONGEST_BACKOFF_SECONDS)) for number in sorted(missing)]
        run(self.alias, DELETE, sorted(acknowledged))
        if later:
            run(self.alias, POSTPONE, *columns(later, 2))
            log.warning(
                "not acknowledged",
                destination=self.destination,
                rows=len(later),
                reason=next(iter(refused.values()), Refusal("no answer", False)).reason,
            )
        if never:
            run(self.alias, SET_ASIDE, *columns(never, 2))
            log.error("refused for good", destination=self.destination, rows=len(never), reason=never[0][1])


def fitting(pending: Sequence[Row]) -> int:
    """How many rows from the first on fit in a window's bytes; the first always does."""
    sizes = accumulate(len(event) for _, _, event in pending)
    return max(1, sum(1 for size in sizes if size <= WINDOW_BYTES))


def to_all(carriers: Sequence[Carrier]) -> Carrier:
    """A carrier of several: a row is acknowledged when all of them have taken it."""

    def carry(pending: Sequence[Row]) -> Outcome:
        refused: dict[int, Refusal] = {}
        for carrier in carriers:
            acknowledged, no = carrier(pending)
            refused |= no
            taken = set(acknowledged)
            pending = [row for row in pending if row[0] in taken]
        return [number for number, _, _ in pending], refused

    return carry


def over_kafka(topic: str) -> Carrier:
    """A carrier that publishes to a topic in CloudEvents' binary mode."""

    def carry(pending: Sequence[Row]) -> Outcome:
        messages = [Outgoing(number, key, *to_kafka(from_json(bytes(event)))) for number, key, event in pending]
        return send(topic, messages, timeout=TURN_SECONDS)

    return carry
