"""Messages that may have killed the process: each runs by itself, and its attempt is stored before it is tried."""

from collections.abc import Mapping, Sequence

from django.conf import settings

from consumers.failures import Fenced
from consumers.positions import Claim, Positions
from consumers.reading import Item
from kafka_shop.messaging.kafka import Record


class Suspects:
    """The messages below an offset of each partition, after claims in a row that moved nothing."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._ends: dict[int, int] = {}

    def __contains__(self, record: Record) -> bool:
        return record.offset < self._ends.get(record.partition, 0)

    def suspect(self, claim: Claim, high: int) -> None:
        """What a batch of the process that died may have held; what lies above the log's `high` of now killed nobody."""
        self._ends[claim.partition] = min(claim.position + settings.BATCH_SIZE, high)

    def count(self, items: Sequence[Item], claims: Mapping[int, Claim]) -> None:
        """Stores the attempt at a lone suspect; one beyond MESSAGE_ATTEMPTS is refused instead. Raises Fenced and database errors."""
        if len(items) != 1 or items[0].record not in self:
            return
        item, claim = items[0], claims[items[0].record.partition]
        attempts = claim.lone_attempts if claim.lone_offset == item.record.offset else 0
        if attempts >= settings.MESSAGE_ATTEMPTS:
            item.refusal, item.attempts = "killed the process", attempts
            return
        claim.lone_offset, claim.lone_attempts = item.record.offset, attempts + 1
        if not self._positions.alone(claim, item.record.offset, attempts + 1):
            raise Fenced(f"partition {claim.partition} has another owner")
