"""The model broker in the place of the Kafka client: what the product asks of it, and what it answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from consumers.tests.memory_broker import MemoryInspector
from kafka_shop.messaging.kafka import BrokerAway, Outgoing, Record, Refusal, Watermarks
from tests.simulation.broker import Member, Topic
from tests.simulation.clock import Clock


class Inspector(MemoryInspector):
    """Questions about the logs of every topic."""

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster

    def partitions(self, topic: str) -> list[int]:
        return sorted(self._ask(topic).logs)

    def watermarks(self, topic: str, partition: int) -> Watermarks:
        return self._ask(topic).marks(partition)

    def record_at(self, topic: str, partition: int, offset: int) -> Record | None:
        return self._ask(topic).at(partition, offset)

    def cluster_id(self, topic: str) -> str:
        return self._ask(topic).cluster

    def identity(self, topic: str) -> tuple[str, str]:
        return self._ask(topic).cluster, self._ask(topic).log

    def committed(self, topic: str, partitions: Sequence[int]) -> dict[int, int]:
        return {number: self._ask(topic).committed[number] for number in partitions if number in self._ask(topic).committed}

    def commit(self, topic: str, positions: Mapping[int, int]) -> None:
        self._ask(topic).committed.update(positions)

    def _ask(self, topic: str) -> Topic:
        if self._cluster.is_away():
            self._cluster.clock.advance(1)
            raise BrokerAway("no broker answers")
        return self._cluster.topics[topic]


class Cluster:
    """All topics. What goes wrong on the way is the world's to decide."""

    def __init__(self, clock: Clock, partitions: Mapping[str, int]) -> None:
        self.clock = clock
        self.topics = {name: Topic(name, count, self) for name, count in partitions.items()}
        self.away_until = 0.0
        # what the world decides
        self.process_at_work: Callable[[], object] = lambda: None
        self.polled: Callable[[float], None] = lambda timeout: None
        self.batch_limit: Callable[[int], int] = lambda limit: limit
        self.written: Callable[[Topic, Record], None] = lambda topic, record: None
        self.sending: Callable[[Topic, Outgoing], tuple[int, Refusal | bool]] = lambda topic, message: (1, True)
        self.sent: Callable[[], None] = lambda: None

    def is_away(self) -> bool:
        return self.clock.monotonic() < self.away_until

    def subscription(
        self, group: str, topic: str, *, on_assigned: Callable[[list[int]], None], on_revoked: Callable[[list[int]], None]
    ) -> Member:
        return Member(self.topics[topic], on_assigned, on_revoked)

    def inspector(self, group: str = "") -> Inspector:
        return Inspector(self)

    def log_identity(self, inspector: Inspector, topic: str) -> tuple[str, str]:
        return inspector.identity(topic)

    def send(self, topic: str, messages: Iterable[Outgoing], *, timeout: float) -> tuple[list[int], dict[int, Refusal]]:
        """`sending` says of each message how often it is written, and its answer: True, a refusal, or False for none."""
        acknowledged: list[int] = []
        refused: dict[int, Refusal] = {}
        silent = False
        for message in messages:
            times, answer = (0, False) if self.is_away() else self.sending(self.topics[topic], message)
            for _ in range(times):
                self.topics[topic].write(message.key, message.headers, message.value)
            if isinstance(answer, Refusal):
                refused[message.number] = answer
            elif answer:
                acknowledged.append(message.number)
            silent = silent or answer is False
        if silent:
            self.clock.advance(timeout)
        self.sent()
        return acknowledged, refused
