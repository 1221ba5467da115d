"""The embedded broker keeps 5 MB a partition and drops what is older: the relay holds back until it has been read."""

import time

from kafka_shop.messaging.kafka import MOCK, Inspector

LOOK_SECONDS = 0.05
MOST_MESSAGES = 1000  # unread in one partition, before a window of at most 1 MB is added


class EmbeddedRoom:
    """Whether the group has read enough of the embedded broker's topic. On a real broker there is always room."""

    def __init__(self, topic: str, group: str) -> None:
        self._topic, self._group = topic, group
        self._inspector: Inspector | None = None
        self._bounded: bool | None = None
        self._look_at, self._answer = 0.0, True

    def __call__(self) -> bool:
        """Raises BrokerAway."""
        if self._bounded is None:
            self._inspector = Inspector(self._group)
            self._bounded = self._inspector.cluster_id(self._topic).startswith(MOCK)
        if self._bounded and time.monotonic() >= self._look_at:
            self._answer = self._unread() <= MOST_MESSAGES
            self._look_at = time.monotonic() + LOOK_SECONDS
        return self._answer

    def _unread(self) -> int:
        """The most messages of a partition that the group has not read."""
        if self._inspector is None:
            return 0
        partitions = self._inspector.partitions(self._topic)
        committed = self._inspector.committed(self._topic, partitions)
        return max(self._inspector.watermarks(self._topic, each).high - committed.get(each, 0) for each in partitions)
