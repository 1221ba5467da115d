"""The model broker's topics: logs that grow, lose their end or are made anew, and one group of members on each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from consumers.tests.memory_broker import MemoryBroker, MemorySubscription
from kafka_shop.messaging.envelope import Headers
from kafka_shop.messaging.kafka import Record

if TYPE_CHECKING:
    from tests.simulation.cluster import Cluster


class Place(NamedTuple):
    """Where a message lies: a log that was made anew is another one."""

    log: str
    partition: int
    offset: int


class Topic(MemoryBroker):
    """One topic and the group that reads it. Who holds a partition keeps it until it has heard that it is another's."""

    def __init__(self, name: str, partitions: int, cluster: Cluster) -> None:
        super().__init__(partitions)
        self.name, self.world, self.age = name, cluster, 1
        self.cluster = "simulated"
        self.group: list[Member] = []  # the living, as the broker sees it
        self.holders: dict[int, Member | None] = dict.fromkeys(self.logs)
        self.wanted: dict[int, Member | None] = dict.fromkeys(self.logs)
        self.cut: set[tuple[int, int]] = set()  # partition and offset of what was lost at the end of a log
        self._rotation = 0

    @property
    def log(self) -> str:
        """The identity of its log."""
        return f"{self.name}#{self.age}"

    def place(self, record: Record) -> Place:
        return Place(self.log, record.partition, record.offset)

    def write(self, key: str, headers: Headers, value: bytes | None, partition: int | None = None) -> Record:
        number = crc32(key.encode()) % len(self.logs) if partition is None else partition
        milliseconds = int(self.world.clock.time() * 1000)
        record = Record(self.name, number, self.marks(number).high, milliseconds, key.encode(), [*headers], value)
        self.put(record)
        self.world.written(self, record)
        return record

    def records(self) -> Iterable[Record]:
        for log in self.logs.values():
            yield from log

    def add_partition(self) -> int:
        number = len(self.logs)
        self.logs[number], self.low[number] = [], 0
        self.holders[number] = None
        self.share_out()
        return number

    def make_anew(self) -> None:
        """Deleted and made again: its messages are gone, its offsets begin at 0."""
        self.age += 1
        self.logs, self.low = {number: [] for number in self.logs}, dict.fromkeys(self.low, 0)

    def cut_end(self, partition: int, count: int) -> None:
        """What an election of a replica that lags does. What is written there next may be passed over unseen."""
        gone = self.logs[partition][-count:]
        self.cut |= {(partition, record.offset) for record in gone}
        del self.logs[partition][len(self.logs[partition]) - len(gone) :]

    @property
    def topic_id(self) -> str:
        return self.log

    @topic_id.setter
    def topic_id(self, value: str) -> None:
        """It is that of the log."""

    def share_out(self) -> None:
        """Says who shall hold what; the members hear of it in their polls."""
        self._rotation += 1
        for number in self.logs:
            self.wanted[number] = self.group[(number + self._rotation) % len(self.group)] if self.group else None

    def join(self, member: Member) -> None:
        self.group.append(member)
        self.share_out()

    def expel(self, member: Member) -> None:
        """Its session is over: what it holds is free at once, whether it knows or not."""
        if member in self.group:
            self.group.remove(member)
        self.holders = {number: None if holder is member else holder for number, holder in self.holders.items()}
        self.share_out()

    def expel_all(self, process: object) -> None:
        """A process is gone, with every subscription that it had."""
        for member in [member for member in self.group if member.process is process]:
            self.expel(member)


class Member(MemorySubscription):
    """A process's subscription. It hears of what changed in its polls, and reads on until then, whoever holds the partition now."""

    def __init__(self, topic: Topic, on_assigned: Callable[[list[int]], None], on_revoked: Callable[[list[int]], None]) -> None:
        super().__init__(topic, on_assigned, on_revoked)
        self.topic, self.process = topic, topic.world.process_at_work()
        self.polls_in_vain = 0  # polls in which it does not hear of the group
        topic.join(self)

    def take(self, limit: int, timeout: float) -> list[Record]:
        cluster = self.topic.world
        cluster.polled(timeout)
        if self.polls_in_vain:
            self.polls_in_vain -= 1
        else:
            self._hear()
        taken = [] if cluster.is_away() else super().take(cluster.batch_limit(limit), 0)
        if not taken:
            cluster.clock.advance(timeout / 4)  # others live meanwhile
        return taken

    def close(self) -> None:
        self.closed = True
        if self.next:
            self._lose(tuple(self.next))
        self.topic.expel(self)

    def _hear(self) -> None:
        topic = self.topic
        expelled = self not in topic.group
        gone = [number for number in self.next if expelled or topic.wanted[number] is not self or topic.holders[number] is not self]
        if gone:
            self._lose(gone)
            topic.holders.update({number: None for number in gone if topic.holders[number] is self})
        if expelled:
            topic.join(self)
        gained = [number for number, member in topic.wanted.items() if member is self and topic.holders[number] is None]
        if gained:
            topic.holders.update(dict.fromkeys(gained, self))
            self._gain(gained)
