"""The consumer's side: a member of a group, and the messages that it is given."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from django.conf import settings

from kafka_shop.messaging.kafka.client import BrokerAway, BrokerMisused, ClientLost, open_client, translate
from kafka_shop.messaging.kafka.records import Record, record

CONSUMER: dict[str, Any] = {
    "auto.offset.reset": "error",  # a lost position is never guessed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "queued.max.messages.kbytes": 16_384,  # memory stays bounded whatever the lag
    "fetch.wait.max.ms": 100,
}


class OutOfRange(Exception):
    """The log no longer, or not yet, has the wanted offset."""

    def __init__(self, partition: int, offset: int) -> None:
        super().__init__(f"partition {partition} has no offset {offset}")
        self.partition, self.offset = partition, offset


class Subscription:
    """One member of a consumer group. New partitions start paused; `start` lets one flow from a position."""

    def __init__(
        self, group: str, topic: str, *, on_assigned: Callable[[list[int]], None], on_revoked: Callable[[list[int]], None]
    ) -> None:
        self.topic = topic
        self._on_assigned, self._on_revoked = on_assigned, on_revoked
        self._client: Consumer = open_client(Consumer, {**CONSUMER, "group.id": group, **group_protocol()})
        self._client.subscribe([topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke)

    def take(self, limit: int, timeout: float) -> list[Record]:
        """Waits at most `timeout` seconds for a first message, then takes what is already there: a batch never waits to fill.

        Raises BrokerMisused, ClientLost, OutOfRange.
        """
        try:
            first = self._client.poll(timeout)
            messages = [first] if first else []
            if first and limit > 1:
                messages += self._client.consume(limit - 1, 0)
        except KafkaException as error:
            raise translate(error.args[0]) from error
        return [record(message) for message in messages if self._is_record(message)]

    def start(self, partition: int, offset: int) -> None:
        """Lets a partition flow from `offset`. Raises BrokerAway when the client is not ready for it."""
        try:
            self._client.seek(self._at(partition, offset))
            self.resume([partition])
        except KafkaException as error:
            raise BrokerAway(str(error)) from error

    def pause(self, partitions: Iterable[int]) -> None:
        self._client.pause([self._at(partition) for partition in partitions])

    def resume(self, partitions: Iterable[int]) -> None:
        self._client.resume([self._at(partition) for partition in partitions])

    def commit(self, positions: Mapping[int, int]) -> None:
        """Tells Kafka how far the group is, for lag tools and scalers only: a failure does not matter."""
        with suppress(KafkaException):
            self._client.commit(offsets=[self._at(partition, offset) for partition, offset in positions.items()], asynchronous=True)

    def close(self) -> None:
        """Leaves the group.

        Rebalances that wait are served first: a closing client may never return from what they call, and holds the GIL (librdkafka 2.16).
        """
        with suppress(KafkaException):
            self._client.unsubscribe()
            while self._client.poll(0):
                pass
        self._client.close()

    def _at(self, partition: int, offset: int = OFFSET_BEGINNING) -> TopicPartition:
        return TopicPartition(self.topic, partition, offset)

    def _assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [each.partition for each in partitions]
        client.incremental_assign([self._at(number) for number in numbers])
        self.pause(numbers)
        self._on_assigned(numbers)

    def _revoke(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = [each.partition for each in partitions]
        self._on_revoked(numbers)
        client.incremental_unassign([self._at(number) for number in numbers])

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise OutOfRange(message.partition() or 0, message.offset() or 0)
        problem = translate(error)
        if isinstance(problem, (BrokerMisused, ClientLost)):
            raise problem
        return False  # the client recovers from all others by itself


def group_protocol() -> dict[str, Any]:
    """KIP-848's protocol, or the classic one with cooperative rebalancing (KIP-429)."""
    if settings.KAFKA_GROUP_PROTOCOL == "consumer":
        return {"group.protocol": "consumer"}
    return {"group.protocol": "classic", "partition.assignment.strategy": "cooperative-sticky"}
