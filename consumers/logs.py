"""Is the log the one that a position counts in? A position from another log is never used on it."""

from collections.abc import Callable
from enum import Enum

from consumers.positions import Anchor, Claim, Log
from kafka_shop.messaging.envelope import Unreadable, from_kafka
from kafka_shop.messaging.kafka import Inspector, Record, Watermarks, log_identity


class Standing(Enum):
    SAME = "same"
    NEW = "new"
    OUT_OF_RANGE = "out of range"


def standing(
    *, position: int, stored: Log, seen: Log, marks: Watermarks, anchor: Anchor | None, read_again: Callable[[], Anchor | None]
) -> Standing:
    """Whether a stored position fits the log that is there now.

    read_again gives what lies at the anchor's offset now. Equal, or an anchor that retention has deleted with the position inside the
    log: the same log. Out of range on a log with the same topic id is for a person to decide. Anything else is a new log.
    """
    if not stored.cluster_id:
        return Standing.NEW
    if stored.cluster_id != seen.cluster_id or (stored.topic_id and seen.topic_id and stored.topic_id != seen.topic_id):
        return Standing.NEW
    certain = bool(stored.topic_id and stored.topic_id == seen.topic_id)
    inside = marks.low <= position <= marks.high
    forgotten = anchor is None or anchor.offset < marks.low  # retention has deleted it
    same = inside if forgotten else read_again() == anchor
    if same and inside:
        return Standing.SAME
    return Standing.OUT_OF_RANGE if certain or same else Standing.NEW


def examine(inspector: Inspector, topic: str, claim: Claim, seen: Log) -> tuple[Standing, Watermarks]:
    """Asks the broker and decides. Raises BrokerAway."""
    marks = inspector.watermarks(topic, claim.partition)

    def read_again() -> Anchor | None:
        found = inspector.record_at(topic, claim.partition, claim.anchor.offset) if claim.anchor else None
        return anchor_of(found) if found else None

    verdict = standing(position=claim.position, stored=claim.log, seen=seen, marks=marks, anchor=claim.anchor, read_again=read_again)
    return verdict, marks


class Logs:
    """The logs of a topic, looked at by a client that can be replaced. Every look raises BrokerAway; making it BrokerMisused, too."""

    def __init__(self, topic: str) -> None:
        self._topic, self._inspector = topic, Inspector()
        self._inspector.partitions(topic)  # one that does not exist is told before anything is asked of it

    def identity(self) -> Log:
        return Log(*log_identity(self._inspector, self._topic))

    def examine(self, claim: Claim, seen: Log) -> tuple[Standing, Watermarks]:
        return examine(self._inspector, self._topic, claim, seen)

    def high(self, partition: int) -> int:
        return self._inspector.watermarks(self._topic, partition).high

    def renew(self) -> None:
        """Replaces the client: an old one may go on asking a broker that no longer leads."""
        self._inspector.close()
        self._inspector = Inspector()


def anchor_of(record: Record) -> Anchor:
    """What identifies a message in its log."""
    try:
        event_id = from_kafka(record.headers, record.value).id
    except Unreadable:
        event_id = ""
    return Anchor(record.offset, record.timestamp, event_id)
