"""`audit --topics`: compares the logs with the tables, message by message.

I7: a position counts in the log that is there, inside of it. I8: every message that a consumer has behind it is applied, known, foreign or
a dead letter; every stored fact whose outbox row is gone lies in the log, or its reader has applied it (from an older log, or over HTTP).
Each log is read once. What lies in it is kept in a temporary table of its publisher's database, so that memory stays bounded.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice

from django.conf import settings
from django.db import connections

import billing.audit
import orders.audit
from consumers.arrivals import ALWAYS, Fact, dead_letters, told_by, unknown_to
from consumers.dead_letters import identity
from consumers.logs import Standing
from consumers.reading import Item, Reader
from consumers.routes import PUBLISHERS, READERS, ROUTES
from consumers.stands import Stand, stands
from kafka_shop.databases import alias_of, run
from kafka_shop.findings import Finding
from kafka_shop.messaging.kafka import Inspector, scan

MOST_FINDINGS = 1000  # of a log: what comes after them is not looked for
PAGE = 5000
NEVER = datetime.max.replace(tzinfo=UTC)

PUBLISHED = {"orders": orders.audit.PUBLISHED, "billing": billing.audit.PUBLISHED}

MISSING = """
SELECT fact.event_id, fact.order_id, fact.what, fact.time FROM ({published}) AS fact
WHERE fact.destination = %s AND fact.time >= %s
  AND NOT EXISTS (SELECT FROM audit_log WHERE audit_log.event_id = fact.event_id)
  AND NOT EXISTS (SELECT FROM messaging_outboxrow AS row WHERE row.destination = fact.destination AND row.event_id = fact.event_id)
"""


class LogAudit:
    """Compares one destination's log with the tables of those who write and read it, as far as this process serves them."""

    def __init__(self, inspector: Inspector, destination: str) -> None:
        """Notes where everybody stands now. Raises BrokerAway, BrokerMisused."""
        self._inspector, self._destination, self._topic = inspector, destination, settings.TOPICS[destination]
        self._reader = Reader({kind.type: kind for name in READERS[destination] for kind in ROUTES[name].handlers})
        self._stands = {name: stands(inspector, name) for name in READERS[destination] if name in settings.SERVICES}
        self._marks = {partition: inspector.watermarks(self._topic, partition) for partition in inspector.partitions(self._topic)}
        self._writes = PUBLISHERS[destination] in settings.SERVICES
        self._alias = alias_of(PUBLISHERS[destination])
        self._oldest = {partition: NEVER for partition, marks in self._marks.items() if marks.high}  # when the oldest kept was written

    @property
    def messages(self) -> int:
        """How many there are to be read, as the log counts them."""
        return sum(marks.high - marks.low for marks in self._marks.values())

    def findings(self, advance: Callable[[int], object]) -> Iterator[Finding]:
        """What does not agree. `advance` is told how many more messages have been read. Raises BrokerAway, BrokerMisused."""
        yield from self._misplaced()
        with self._noting():
            for partition, marks in self._marks.items():
                for records in scan(self._topic, partition, *marks):
                    items = [self._reader.read(record) for record in records]
                    self._note(partition, items)
                    for stand in self._standing(partition):
                        yield from unexplained(stand, [item for item in items if has_behind(stand, item)])
                    advance(len(records))
            if self._writes:
                yield from self._lost()

    def _standing(self, partition: int) -> list[Stand]:
        """Where the served readers stand in a partition."""
        return [by_partition[partition] for by_partition in self._stands.values() if partition in by_partition]

    def _misplaced(self) -> Iterator[Finding]:
        """Positions that are not inside of the log they count in."""
        for stand in (stand for partition in self._marks for stand in self._standing(partition)):
            if stand.standing is Standing.OUT_OF_RANGE:
                where = place(stand.topic, stand.claim.partition, stand.claim.position)
                marks = f"{stand.marks.low} to {stand.marks.high}"
                yield Finding("I7", where, f"{stand.consumer} stands where its log, from {marks}, has another message or none")

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """With an empty table for the ids of what lies in the log."""
        if not self._writes:
            yield
            return
        run(self._alias, "CREATE TEMPORARY TABLE audit_log (event_id text NOT NULL)")
        try:
            yield
        finally:
            run(self._alias, "DROP TABLE audit_log")

    def _note(self, partition: int, items: Sequence[Item]) -> None:
        for item in items[:1]:
            self._oldest[partition] = min(self._oldest[partition], datetime.fromtimestamp(item.record.timestamp / 1000, UTC))
        if self._writes:
            run(self._alias, "INSERT INTO audit_log SELECT unnest(%s::text[])", [item.envelope.id for item in items if item.envelope])

    def _lost(self) -> Iterator[Finding]:
        """Facts that left the outbox, and arrived nowhere. What was published while the log was read is not among them."""
        lost = {fact.event_id: fact for fact in islice(self._missing(), MOST_FINDINGS)}
        for partition, marks in self._marks.items():
            newest = self._inspector.watermarks(self._topic, partition).high if lost else marks.high
            for records in scan(self._topic, partition, marks.high, newest):
                for item in map(self._reader.read, records):
                    lost.pop(item.envelope.id if item.envelope else "", None)
        for fact in lost.values():
            yield Finding("I8", str(fact.order_id), f"{fact.event_id} is gone from the outbox, and neither in {self._topic} nor applied")

    def _missing(self) -> Iterator[Fact]:
        """The facts that are not in the log, and not applied as far as that can be seen here.

        With a reader elsewhere only those are known to belong in the log that are younger than what it keeps of each partition.
        """
        run(self._alias, "ANALYZE audit_log")
        everywhere = len(self._stands) == len(READERS[self._destination])
        since = ALWAYS if everywhere else max(self._oldest.values(), default=NEVER)
        with connections[self._alias].chunked_cursor() as cursor:
            cursor.execute(MISSING.format(published=PUBLISHED[PUBLISHERS[self._destination]]), [self._destination, since])
            while page := [Fact(*row) for row in cursor.fetchmany(PAGE)]:
                yield from (page if not everywhere else (fact for name in self._stands for fact in unknown_to(name, page)))


def audit_logs(watch: Callable[[int, int], object]) -> tuple[list[Finding], int]:
    """The findings in all logs that this process's services write or read, and how many messages these have.

    `watch` is told (read so far, in all). Raises BrokerAway, BrokerMisused.
    """
    served, read = set(settings.SERVICES), 0
    with closing(Inspector()) as inspector:
        logs = [LogAudit(inspector, name) for name, publisher in PUBLISHERS.items() if {publisher, *READERS[name]} & served]
        total = sum(log.messages for log in logs)

        def advance(count: int) -> None:
            nonlocal read
            read += count
            watch(read, total)

        return [finding for log in logs for finding in islice(log.findings(advance), MOST_FINDINGS)], total


def has_behind(stand: Stand, item: Item) -> bool:
    """Whether a consumer has left this message behind, and it was one to be applied."""
    taken = item.refusal or type(item.event) in ROUTES[stand.consumer].handlers
    return bool(taken) and item.record.offset < stand.reached


def unexplained(stand: Stand, items: Sequence[Item]) -> Iterator[Finding]:
    """Messages that a consumer has behind it, and neither applied nor kept as a dead letter."""
    told = [told_by(item.event, identity(stand.topic, item, stand.claim)) for item in items if item.event]
    refused = [identity(stand.topic, item, stand.claim) for item in items if item.refusal]
    lost = {*(fact.event_id for fact in unknown_to(stand.consumer, told)), *refused} - dead_letters(stand.consumer, refused)
    for item in items:
        name = identity(stand.topic, item, stand.claim)
        if name in lost:
            where = place(stand.topic, item.record.partition, item.record.offset)
            yield Finding("I8", where, f"{stand.consumer} has {name} behind it, and neither applied it nor keeps it as a dead letter")


def place(topic: str, partition: int, offset: int) -> str:
    return f"{topic}[{partition}]@{offset}"
