"""A bad network between relay and consumers: carries messages from one topic to another, some twice, some late. For a set-up Django."""

import random
from collections.abc import Sequence
from heapq import heappop, heappush
from threading import Event, Thread

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from tests.chaos.rig import PARTITIONS
from tests.kafka.probe import CLIENT

TWICE, LATE = 0.1, 0.1  # of the messages
LATEST = 500  # messages that overtake one that is late
QUIET_SECONDS = 0.1  # without a new message, after which all that is late is let go
READER = {"group.id": "chaos.carrier", "enable.auto.commit": False, "auto.offset.reset": "earliest", **CLIENT}
SENDER = {"partitioner": "murmur2_random", "enable.idempotence": True, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000, **CLIENT}


class Carrier:
    """Carries in a thread of its own until `close`, and counts what it disturbed."""

    def __init__(self, bootstrap: str, source: str, target: str) -> None:
        self.twice = self.late = 0
        self._target, self._seen = target, 0
        self._held: list[tuple[int, float, Message]] = []  # by the count of messages at which it goes
        self._reader = Consumer({"bootstrap.servers": bootstrap, **READER})
        self._reader.assign([TopicPartition(source, partition, 0) for partition in range(PARTITIONS)])
        self._sender = Producer({"bootstrap.servers": bootstrap, **SENDER})
        self._over = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._reader.close()
        self._sender.flush(10)

    def _run(self) -> None:
        while not self._over.is_set():
            messages = [message for message in self._reader.consume(1000, QUIET_SECONDS) if message.error() is None]
            self._carry(messages)
            self._release(until=None if not messages else self._seen)
            self._sender.poll(0)

    def _carry(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._seen += 1
            late, twice = random.random() < LATE, random.random() < TWICE
            self.late += late
            self.twice += twice
            for _ in range(late + twice):
                heappush(self._held, (self._seen + random.randint(1, LATEST), random.random(), message))
            if not late:
                self._send(message)
            self._release(until=self._seen)

    def _release(self, until: int | None) -> None:
        """Lets go what was held until so many messages were seen; without a number all."""
        while self._held and (until is None or self._held[0][0] <= until):
            self._send(heappop(self._held)[2])

    def _send(self, message: Message) -> None:
        self._sender.produce(self._target, message.value(), message.key(), headers=message.headers() or [])
