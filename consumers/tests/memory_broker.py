"""A broker in memory with the face of the Kafka client (kafka_shop/messaging/kafka): logs, assignments, and what can go wrong."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from consumers.tests.stubs import TOPIC, record
from kafka_shop.messaging.events import Event
from kafka_shop.messaging.kafka import MOCK, OutOfRange, Record, Watermarks


class MemoryBroker:
    """The logs of one topic. Its members get what `assign` and `revoke` say, in their next poll."""

    def __init__(self, partitions: int = 1) -> None:
        self.cluster, self.topic_id = f"{MOCK}-one", ""
        self.logs: dict[int, list[Record]] = {number: [] for number in range(partitions)}
        self.low = dict.fromkeys(self.logs, 0)
        self.committed: dict[int, int] = {}
        self.members: list[MemorySubscription] = []

    def append(self, *events: Event, partition: int = 0) -> None:
        for event in events:
            self.put(record(event, self.low[partition] + len(self.logs[partition]), partition))

    def put(self, message: Record) -> None:
        self.logs[message.partition].append(message)

    def at(self, partition: int, offset: int) -> Record | None:
        place = offset - self.low[partition]
        return self.logs[partition][place] if 0 <= place < len(self.logs[partition]) else None

    def marks(self, partition: int) -> Watermarks:
        return Watermarks(self.low[partition], self.low[partition] + len(self.logs[partition]))

    def drop_until(self, partition: int, offset: int) -> None:
        """What retention does."""
        self.logs[partition], self.low[partition] = self.logs[partition][offset - self.low[partition] :], offset

    def begin_anew(self) -> None:
        """What the start of an embedded broker does: other logs in another cluster."""
        self.cluster += "-again"
        self.logs, self.low = {number: [] for number in self.logs}, dict.fromkeys(self.low, 0)

    def subscription(
        self, group: str, topic: str, *, on_assigned: Callable[[list[int]], None], on_revoked: Callable[[list[int]], None]
    ) -> "MemorySubscription":
        assert topic == TOPIC
        member = MemorySubscription(self, on_assigned, on_revoked)
        self.members.append(member)
        member.assign(*self.logs)
        return member

    def inspector(self, group: str = "") -> "MemoryInspector":
        return MemoryInspector(self)

    def identity(self, inspector: "MemoryInspector", topic: str) -> tuple[str, str]:
        return self.cluster, self.topic_id


class MemorySubscription:
    """A member of the group: partitions start paused, a poll first hears of rebalances."""

    def __init__(self, broker: MemoryBroker, on_assigned: Callable[[list[int]], None], on_revoked: Callable[[list[int]], None]) -> None:
        self.broker, self._on_assigned, self._on_revoked = broker, on_assigned, on_revoked
        self.next: dict[int, int] = {}
        self.flowing: set[int] = set()
        self.closed = False
        self.deaf = False  # it hears nothing, without an error
        self._news: deque[Callable[[], object]] = deque()

    def at_next_poll(self, work: Callable[[], object]) -> None:
        self._news.append(work)

    def assign(self, *partitions: int) -> None:
        self.at_next_poll(lambda: self._gain(partitions))

    def revoke(self, *partitions: int) -> None:
        self.at_next_poll(lambda: self._lose(partitions))

    def _gain(self, partitions: Iterable[int]) -> None:
        self.next.update(dict.fromkeys(partitions, 0))
        self._on_assigned(list(partitions))

    def _lose(self, partitions: Iterable[int]) -> None:
        self._on_revoked(list(partitions))
        for partition in partitions:
            del self.next[partition]
            self.flowing.discard(partition)

    def take(self, limit: int, timeout: float) -> list[Record]:
        while self._news:
            self._news.popleft()()
        taken: list[Record] = []
        for partition in sorted(self.flowing if not self.deaf else ()):
            low, high = self.broker.marks(partition)
            if not low <= self.next[partition] <= high:
                raise OutOfRange(partition, self.next[partition])
            while len(taken) < limit and (found := self.broker.at(partition, self.next[partition])):
                taken.append(found)
                self.next[partition] += 1
        if timeout and not taken:
            time.sleep(min(timeout, 0.002))
        return taken

    def start(self, partition: int, offset: int) -> None:
        self.next[partition] = offset
        self.flowing.add(partition)

    def pause(self, partitions: Iterable[int]) -> None:
        self.flowing -= set(partitions)

    def resume(self, partitions: Iterable[int]) -> None:
        self.flowing |= set(partitions) & self.next.keys()

    def commit(self, positions: Mapping[int, int]) -> None:
        self.broker.committed.update(positions)

    def close(self) -> None:
        self.closed = True
        if self.next:
            self._lose(tuple(self.next))


class MemoryInspector:
    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def partitions(self, topic: str) -> list[int]:
        return sorted(self._broker.logs)

    def watermarks(self, topic: str, partition: int) -> Watermarks:
        return self._broker.marks(partition)

    def record_at(self, topic: str, partition: int, offset: int) -> Record | None:
        return self._broker.at(partition, offset)

    def close(self) -> None:
        pass
