"""The embedded broker keeps 5 MB a partition and drops what is older: the relay holds back until all have read it."""

import time
from collections.abc import Sequence

from kafka_shop.messaging.kafka import MOCK, Inspector

LOOK_SECONDS = 0.05
MOST_MESSAGES = 1000  # unread in one partition, before a window of at most 1 MB is added


class EmbeddedRoom:
    """Whether all its groups have read enough of the embedded broker's topic. On a real broker there is always room."""

    def __init__(self, topic: str, groups: Sequence[str]) -> None:
        self._topic, self._groups = topic, groups
        self._inspectors: list[Inspector] = []
        self._bounded: bool | None = None
        self._look_at, self._answer = 0.0, True

    def __call__(self) -> bool:
        """Raises BrokerAway."""
        if self._bounded is None:
            self._inspectors = self._inspectors or [Inspector(group) for group in self._groups]
            self._bounded = any(each.cluster_id(self._topic).startswith(MOCK) for each in self._inspectors)
        if self._bounded and time.monotonic() >= self._look_at:
            self._answer = all(self._unread(each) <= MOST_MESSAGES for each in self._inspectors)
            self._look_at = time.monotonic() + LOOK_SECONDS
        return self._answer

    def _unread(self, group: Inspector) -> int:
        """The most messages of a partition that a group has not read."""
        partitions = group.partitions(self._topic)
        committed = group.committed(self._topic, partitions)
        return max(group.watermarks(self._topic, each).high - committed.get(each, 0) for each in partitions)
