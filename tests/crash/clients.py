"""The face of the Kafka client on logs in files. The points of the real client are tried on a real Kafka (real.py).

The bootstrap servers are the logs' folder. A group's member has all partitions of its topic, from its first poll to its close.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from django.conf import settings

from tests.crash.logs import PARTITIONS, Logs, Stored

POLL_SECONDS = 0.0005  # that an empty poll takes
Rebalanced = Callable[[Any, list[TopicPartition]], None]


class Client:
    def __init__(self, config: dict[str, Any]) -> None:
        self.logs = Logs(Path(config["bootstrap.servers"]))

    def list_topics(self, topic: str | None = None, timeout: float = 0) -> Any:
        return self.logs.metadata()


class ModelProducer(Client):
    """Messages are in their log when `produce` returns, and acknowledged by the next `flush` or `poll`."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._answers: list[Callable[[], None]] = []

    def produce(
        self, topic: str, value: bytes, key: str, headers: Sequence[tuple[str, bytes]], on_delivery: Callable[[Any, Any], None]
    ) -> None:
        code = self.logs.answer(value)
        if code == KafkaError.MSG_SIZE_TOO_LARGE:
            raise KafkaException(KafkaError(code))
        if code is None:
            self.logs.append(topic, key, headers, value)
        self._answers.append(lambda: on_delivery(None if code is None else KafkaError(code), None))

    def poll(self, timeout: float) -> None:
        while self._answers:
            self._answers.pop(0)()

    flush = poll


class ModelConsumer(Client):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._topic = ""
        self._next: dict[int, int] = {}  # of assigned partitions
        self._paused: set[int] = set()
        self._assign: Rebalanced | None = None
        self._revoke: Rebalanced | None = None

    def subscribe(self, topics: list[str], on_assign: Rebalanced, on_revoke: Rebalanced, on_lost: Rebalanced) -> None:
        [self._topic] = topics
        self._assign, self._revoke = on_assign, on_revoke

    def poll(self, timeout: float) -> "ModelMessage | None":
        if self._assign is not None:
            assign, self._assign = self._assign, None
            assign(self, [TopicPartition(self._topic, partition) for partition in PARTITIONS])
            return None
        found = self.consume(1, 0)
        if not found:
            time.sleep(min(timeout, POLL_SECONDS))
        return found[0] if found else None

    def consume(self, limit: int, timeout: float) -> "list[ModelMessage]":
        taken: list[Stored] = []
        for partition in sorted(self._next.keys() - self._paused):
            taken += self.logs.read(self._topic, partition)[self._next[partition] :][: limit - len(taken)]
        for message in taken:
            self._next[message.partition] = message.offset + 1
        return [ModelMessage(message) for message in taken]

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.incremental_assign(partitions)
        self._topic = partitions[0].topic

    def unassign(self) -> None:
        self._next.clear()

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        self._next.update({each.partition: max(0, each.offset) for each in partitions})

    def incremental_unassign(self, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._next.pop(each.partition)

    def pause(self, partitions: list[TopicPartition]) -> None:
        self._paused |= {each.partition for each in partitions}

    def resume(self, partitions: list[TopicPartition]) -> None:
        self._paused -= {each.partition for each in partitions}

    def seek(self, partition: TopicPartition) -> None:
        self._next[partition.partition] = partition.offset

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        pass  # nobody reads them: the database's position is the truth

    def get_watermark_offsets(self, partition: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, len(self.logs.read(partition.topic, partition.partition))

    def unsubscribe(self) -> None:
        if self._revoke is not None and self._next:
            self._revoke(self, [TopicPartition(self._topic, partition) for partition in self._next])

    def close(self) -> None:
        self.unsubscribe()


class ModelAdmin(Client):
    def describe_topics(self, topics: TopicCollection, request_timeout: float) -> "dict[str, Future[Any]]":
        answers: dict[str, Future[Any]] = {}
        for topic in settings.TOPICS.values():
            answers[topic] = Future()
            answers[topic].set_result(SimpleNamespace(topic_id=f"{self.logs.cluster}-{topic}"))
        return answers


class ModelMessage:
    """A message with the accessors of the library's own."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    def topic(self) -> str:
        return self._stored.topic

    def partition(self) -> int:
        return self._stored.partition

    def offset(self) -> int:
        return self._stored.offset

    def timestamp(self) -> tuple[int, int]:
        return 1, self._stored.time_ms

    def key(self) -> bytes | None:
        return self._stored.key

    def headers(self) -> Iterable[tuple[str, bytes]]:
        return self._stored.headers

    def value(self) -> bytes:
        return self._stored.value

    def error(self) -> None:
        return None


MODELS: dict[type, type] = {Producer: ModelProducer, Consumer: ModelConsumer, AdminClient: ModelAdmin}
