"""What the broker says of the logs, within a second or not at all."""

import threading
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue

from django.conf import settings

from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused, Inspector, Watermarks

ANSWER_SECONDS = 0.9

Ends = Mapping[str, Mapping[int, Watermarks]]  # of every partition, by topic


class Logs:
    """Asks in a thread of its own, one question at a time: a client that waits for a broker holds up nobody."""

    def __init__(self, inspector: Callable[[], Inspector] = Inspector) -> None:
        self._open = inspector
        self._inspector: Inspector | None = None
        self._busy = threading.Lock()

    def ends(self) -> Ends | None:
        """Where the logs begin and end; None when the broker does not say in time, or the events go over HTTP."""
        if settings.TRANSPORT != "kafka" or not self._busy.acquire(blocking=False):
            return None
        answer: SimpleQueue[Ends | None] = SimpleQueue()
        threading.Thread(target=self._answer, args=[answer], daemon=True).start()
        try:
            return answer.get(timeout=ANSWER_SECONDS)
        except Empty:
            return None

    def _answer(self, answer: "SimpleQueue[Ends | None]") -> None:
        try:
            answer.put(self._ask())
        except (BrokerAway, BrokerMisused):
            self._forget()  # an old client may go on asking a broker that is no more
            answer.put(None)
        finally:
            self._busy.release()

    def _ask(self) -> Ends:
        if self._inspector is None:
            self._inspector = self._open()
        asked = self._inspector
        return {
            topic: {partition: asked.watermarks(topic, partition) for partition in asked.partitions(topic)}
            for topic in settings.TOPICS.values()
        }

    def _forget(self) -> None:
        if self._inspector is not None:
            self._inspector.close()
            self._inspector = None
