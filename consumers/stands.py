"""Where the consumers stand in their logs, for those who only look: nothing is claimed and nothing moved."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from consumers.logs import Standing, examine
from consumers.models import Position
from consumers.positions import Anchor, Claim, Log
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of
from kafka_shop.messaging.kafka import Inspector, Watermarks, log_identity

NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Stand:
    """A consumer's place in one partition."""

    consumer: str
    topic: str
    claim: Claim  # what its progress row says
    standing: Standing  # whether that counts in the log that is there now
    marks: Watermarks

    @property
    def reached(self) -> int:
        """The offset that it goes on from: what lies below, it has behind it."""
        if self.standing is Standing.NEW:
            return self.marks.low
        return min(max(self.claim.position, self.marks.low), self.marks.high)


def stands(inspector: Inspector, name: str) -> dict[int, Stand]:
    """Where a consumer stands in each partition of its topic. Raises BrokerAway, BrokerMisused."""
    topic = settings.TOPICS[ROUTES[name].topic]
    rows = Position.objects.using(alias_of(name)).filter(consumer=name, topic=topic)
    claims = {row.partition: claim_of(row) for row in rows}
    seen = Log(*log_identity(inspector, topic))
    found = {}
    for partition in inspector.partitions(topic):
        claim = claims.get(partition) or claim_of(Position(partition=partition, position=0))
        found[partition] = Stand(name, topic, claim, *examine(inspector, topic, claim, seen))
    return found


def claim_of(row: Position) -> Claim:
    """A progress row as its owner sees it."""
    anchor = None if row.anchor_offset is None else Anchor(row.anchor_offset, row.anchor_timestamp or 0, row.anchor_event_id)
    log = Log(row.cluster_id, row.topic_id)
    return Claim(row.partition, row.owner or NOBODY, row.position, log, anchor, row.stalled_claims, row.lone_offset, row.lone_attempts)
