"""The progress row of a partition: claimed by an owner, moved in the transaction of the effects, released: the fence against zombies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from kafka_shop.databases import columns, rows, run
from kafka_shop.messaging.kafka import Record


@dataclass(frozen=True)
class Log:
    """The identity of the log that a position counts in."""

    cluster_id: str
    topic_id: str  # "" where the broker tells none

    @property
    def name(self) -> str:
        """What tells it from other logs; "" for what came over HTTP and lies in none."""
        return self.topic_id or self.cluster_id


@dataclass(frozen=True)
class Anchor:
    """The last message applied. Read again at its offset, it shows that the log is still the same."""

    offset: int
    timestamp: int  # milliseconds
    event_id: str


@dataclass
class Claim:
    """A partition that this process may move, and how far it has moved it."""

    partition: int
    owner: UUID
    position: int
    log: Log
    anchor: Anchor | None
    stalled: int  # claims in a row before this one that moved nothing
    lone_offset: int | None
    lone_attempts: int


CLAIM = """
INSERT INTO consumers_position AS p
    (consumer, topic, partition, position, owner, cluster_id, topic_id, anchor_event_id, claimed_position, stalled_claims, lone_attempts)
SELECT %s, %s, partition, 0, owner, '', '', '', 0, 0, 0 FROM unnest(%s::int[], %s::uuid[]) AS wanted(partition, owner) ORDER BY partition
ON CONFLICT (consumer, topic, partition) DO UPDATE SET
    owner = excluded.owner,
    stalled_claims = CASE WHEN p.claimed_position IS DISTINCT FROM p.position THEN 0
        WHEN p.owner IS NULL THEN p.stalled_claims ELSE p.stalled_claims + 1 END,
    claimed_position = p.position
RETURNING partition, owner, position, cluster_id, topic_id, anchor_offset, anchor_timestamp, anchor_event_id,
    stalled_claims, lone_offset, lone_attempts
"""

LOCK = """
SELECT count(*) FROM (
    SELECT FROM consumers_position WHERE consumer = %s AND topic = %s AND partition = ANY(%s) ORDER BY partition FOR NO KEY UPDATE
) AS locked
"""

MOVE = """
UPDATE consumers_position AS p
SET position = m.upto, anchor_offset = m.offset, anchor_timestamp = m.timestamp, anchor_event_id = m.event_id, moved_at = %s
FROM unnest(%s::int[], %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
    AS m(partition, owner, begin, upto, "offset", timestamp, event_id)
WHERE p.consumer = %s AND p.topic = %s AND p.partition = m.partition AND p.owner = m.owner AND p.position = m.begin
"""

RESET = """
UPDATE consumers_position SET position = %s, cluster_id = %s, topic_id = %s,
    anchor_offset = NULL, anchor_timestamp = NULL, anchor_event_id = '', claimed_position = %s, lone_offset = NULL, lone_attempts = 0
WHERE consumer = %s AND topic = %s AND partition = %s AND owner = %s
"""

BEAT = """
UPDATE consumers_position AS p SET beat_at = %s
FROM (
    SELECT id FROM consumers_position JOIN unnest(%s::int[], %s::uuid[], %s::bigint[]) AS m(partition, owner, position)
        USING (partition, owner, position)
    WHERE consumer = %s AND topic = %s ORDER BY partition FOR NO KEY UPDATE OF consumers_position
) AS mine
WHERE p.id = mine.id RETURNING p.partition
"""

IDENTIFY = (
    "UPDATE consumers_position SET cluster_id = %s, topic_id = %s WHERE consumer = %s AND topic = %s AND partition = %s AND owner = %s"
)
RELEASE = "UPDATE consumers_position SET owner = NULL WHERE consumer = %s AND topic = %s AND owner = ANY(%s)"
ALONE = """
UPDATE consumers_position SET lone_offset = %s, lone_attempts = %s WHERE consumer = %s AND topic = %s AND partition = %s AND owner = %s
"""


@dataclass(frozen=True)
class Positions:
    """The progress rows of one consumer on one topic."""

    alias: str
    consumer: str
    topic: str

    def claim(self, partitions: Sequence[int]) -> list[Claim]:
        """Takes partitions from whoever had them. A row that is not there yet begins at 0."""
        wanted = [(partition, uuid4()) for partition in partitions]
        return [
            Claim(
                partition,
                owner,
                position,
                Log(cluster, topic),
                Anchor(at, timestamp, event) if at is not None else None,
                stalled,
                lone,
                attempts,
            )
            for partition, owner, position, cluster, topic, at, timestamp, event, stalled, lone, attempts in rows(
                self.alias, CLAIM, self.consumer, self.topic, *columns(wanted, 2)
            )
        ]

    def move(self, moves: Iterable[tuple[Claim, Record, str]], now: datetime) -> int:
        """Locks the rows in order and moves each claim behind its last record, inside the open transaction.

        Returns how many moved: fewer than asked for means that another owner, or an older database, is in place.
        """
        records = sorted(
            (claim.partition, claim.owner, claim.position, last.offset + 1, last.offset, last.timestamp, event_id)
            for claim, last, event_id in moves
        )
        if len(records) > 1:  # a single row is locked by the statement that moves it
            rows(self.alias, LOCK, self.consumer, self.topic, [record[0] for record in records])
        return run(self.alias, MOVE, now, *columns(records, 7), self.consumer, self.topic)

    def beat(self, claims: Iterable[Claim], now: datetime) -> set[int]:
        """Notes when the owner was last alive; returns the partitions that are still its own, at the position that it knows."""
        records = [(claim.partition, claim.owner, claim.position) for claim in claims]
        return {partition for (partition,) in rows(self.alias, BEAT, now, *columns(records, 3), self.consumer, self.topic)}

    def reset(self, claim: Claim, position: int, log: Log) -> int:
        """Points a claim at a place in another log; returns 1, or 0 when it is no longer ours."""
        return run(self.alias, RESET, position, log.cluster_id, log.topic_id, position, *self._row(claim))

    def identify(self, claim: Claim, log: Log) -> int:
        """Notes the log that a claim's position counts in; returns 1, or 0 when it is no longer ours."""
        return run(self.alias, IDENTIFY, log.cluster_id, log.topic_id, *self._row(claim))

    def alone(self, claim: Claim, offset: int | None, attempts: int) -> int:
        """Notes that the message at `offset` is being tried by itself, before it is tried."""
        return run(self.alias, ALONE, offset, attempts, *self._row(claim))

    def release(self, claims: Iterable[Claim]) -> None:
        """Gives partitions back, so that the next claim does not count as a death."""
        run(self.alias, RELEASE, self.consumer, self.topic, [claim.owner for claim in claims])

    def read(self) -> Mapping[int, int]:
        """The positions by partition, for those who only look."""
        return dict(
            rows(
                self.alias,
                "SELECT partition, position FROM consumers_position WHERE consumer = %s AND topic = %s",
                self.consumer,
                self.topic,
            )
        )

    def _row(self, claim: Claim) -> tuple[str, str, int, UUID]:
        return self.consumer, self.topic, claim.partition, claim.owner
