"""What the broker says of the logs, within a second or not at all."""

import threading
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar

from django.conf import settings

from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused, Inspector, Record, Watermarks

ANSWER_SECONDS = 0.9
TURN_SECONDS = 0.1  # that a question waits for the one before it

T = TypeVar("T")
Ends = Mapping[str, Mapping[int, Watermarks]]  # of every partition, by topic


class Place(NamedTuple):
    """Where a message lies."""

    topic: str
    partition: int
    offset: int


class Logs:
    """Asks in a thread of its own, one question at a time: a client that waits for a broker holds up nobody."""

    def __init__(self, inspector: Callable[[], Inspector] = Inspector) -> None:
        self._open = inspector
        self._inspector: Inspector | None = None
        self._busy = threading.Lock()

    def ends(self) -> Ends | None:
        """Where the logs begin and end; None when the broker does not say in time, or the events go over HTTP."""
        return self._asked(ends)

    def records(self, places: Sequence[Place]) -> Mapping[Place, Record] | None:
        """What lies at a few places, as far as it is still there; None as above."""
        return self._asked(lambda inspector: records(inspector, places))

    def _asked(self, question: Callable[[Inspector], T]) -> T | None:
        if settings.TRANSPORT != "kafka" or not self._busy.acquire(timeout=min(TURN_SECONDS, ANSWER_SECONDS)):
            return None
        answer: SimpleQueue[T | None] = SimpleQueue()
        threading.Thread(target=self._answer, args=[question, answer], daemon=True).start()
        try:
            return answer.get(timeout=ANSWER_SECONDS)
        except Empty:
            return None

    def _answer(self, question: Callable[[Inspector], T], answer: "SimpleQueue[T | None]") -> None:
        try:
            if self._inspector is None:
                self._inspector = self._open()
            answer.put(question(self._inspector))
        except (BrokerAway, BrokerMisused):
            self._forget()  # an old client may go on asking a broker that is no more
            answer.put(None)
        finally:
            self._busy.release()

    def _forget(self) -> None:
        if self._inspector is not None:
            self._inspector.close()
            self._inspector = None


def ends(asked: Inspector) -> Ends:
    """Raises BrokerAway and BrokerMisused."""
    return {
        topic: {partition: asked.watermarks(topic, partition) for partition in asked.partitions(topic)}
        for topic in settings.TOPICS.values()
    }


def records(asked: Inspector, places: Sequence[Place]) -> Mapping[Place, Record]:
    """Raises BrokerAway."""
    found = {place: asked.record_at(*place) for place in places}
    return {place: record for place, record in found.items() if record}
