"""The low-level Kafka client: a producer for the relay, a subscription for a consumer, an inspector for questions about logs.

The only module beside the embedded broker that knows confluent_kafka; it speaks in records, positions and the errors below.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any, NamedTuple, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from django.conf import settings

from kafka_shop.messaging.envelope import Headers

MOCK = "mockCluster"  # the prefix of the cluster id of librdkafka's own broker, the embedded one
ANSWER_SECONDS = 5.0
CONNECTION: dict[str, Any] = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500, "log_level": 2}
CONSUMER: dict[str, Any] = {
    "auto.offset.reset": "error",  # a lost position is never guessed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "queued.max.messages.kbytes": 16_384,  # memory stays bounded whatever the lag
    "fetch.wait.max.ms": 100,
}
PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 0,
    "compression.type": "lz4",
    "delivery.timeout.ms": 4500,  # below the relay's turn of 5 s: no row is published again while it may still arrive
    "partitioner": "murmur2_random",  # as Java clients do
    "queue.buffering.max.messages": 200_000,
}
REFUSED_FOR_GOOD = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD}
TOO_OLD = {KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION}


class BrokerAway(Exception):
    """The broker does not answer: try again."""


class BrokerMisused(Exception):
    """The broker answers that this cannot work. Its message says what to change."""


class OutOfRange(Exception):
    """The log no longer, or not yet, has the wanted offset."""

    def __init__(self, partition: int, offset: int) -> None:
        super().__init__(f"partition {partition} has no offset {offset}")
        self.partition, self.offset = partition, offset


class Record(NamedTuple):
    """A message as it lies in the log."""

    topic: str
    partition: int
    offset: int
    timestamp: int  # milliseconds
    key: bytes | None
    headers: list[tuple[str, bytes | None]]
    value: bytes | None


class Watermarks(NamedTuple):
    """The offsets of the oldest message that is kept, and of the next one that will be written."""

    low: int
    high: int


def bootstrap_servers() -> str:
    """The named broker, else the embedded one that runs. Raises BrokerMisused when there is neither."""
    if settings.KAFKA_BOOTSTRAP_SERVERS:
        return str(settings.KAFKA_BOOTSTRAP_SERVERS)
    try:
        address, pid = settings.EMBEDDED_BROKER_FILE.read_text().split()
        os.kill(int(pid), 0)
    except (OSError, ValueError) as error:
        raise BrokerMisused("no broker is named: set KAFKA_BOOTSTRAP_SERVERS, or start `python manage.py run_broker`") from error
    return str(address)


def connection(**properties: Any) -> dict[str, Any]:
    """The properties of a client; KAFKA_CONFIG has the last word."""
    return {"bootstrap.servers": bootstrap_servers(), **CONNECTION, **{key.replace("__", "."): value for key, value in properties.items()}}


def _client(kind: Callable[[dict[str, Any]], Any], config: Mapping[str, Any]) -> Any:
    try:
        return kind({**connection(), **config, **settings.KAFKA_CONFIG})
    except (KafkaException, ValueError, TypeError) as error:
        raise BrokerMisused(f"the Kafka client refuses its configuration (KAFKA_CONFIG): {error}") from error


@cache
def _producer(pid: int) -> Producer:
    client: Producer = _client(Producer, PRODUCER)
    return client


def producer() -> Producer:
    """The process's one producer, made after fork: a new idempotent producer waits for its first acknowledgement."""
    return _producer(os.getpid())


class Refusal(NamedTuple):
    """Why a message was not acknowledged; for_good: it never will be."""

    reason: str
    for_good: bool


class Outgoing(NamedTuple):
    """A message on its way out, with the number of its outbox row."""

    number: int
    key: str
    headers: Headers
    value: bytes


def send(topic: str, messages: Iterable[Outgoing], *, timeout: float) -> tuple[list[int], dict[int, Refusal]]:
    """Publishes and waits for every answer, at most `timeout` seconds: the acknowledged numbers, and the refusals by number.

    A message whose answer has not come is in neither. Threads may send side by side: each waits for its own answers.
    """
    acknowledged: list[int] = []
    refused: dict[int, Refusal] = {}
    client, until, sent = producer(), time.monotonic() + timeout, 0

    def answer(number: int, error: KafkaError | None, _: Message | None = None) -> None:
        if error is None:
            acknowledged.append(number)
        else:
            refused[number] = Refusal(error.str(), error.code() in REFUSED_FOR_GOOD)

    for number, key, headers, value in messages:
        sent += 1
        try:
            client.produce(topic, value, key, headers=list(headers), on_delivery=partial(answer, number))
        except BufferError:
            refused[number] = Refusal("the client's queue is full", False)
        except KafkaException as error:
            answer(number, error.args[0])
    while len(acknowledged) + len(refused) < sent and time.monotonic() < until:
        client.poll(0.05)
    return acknowledged, refused


class Subscription:
    """One member of a consumer group. New partitions start paused; `start` lets one flow from a position."""

    def __init__(
        self, group: str, topic: str, *, on_assigned: Callable[[list[int]], None], on_revoked: Callable[[list[int]], None]
    ) -> None:
        self.topic = topic
        self._on_assigned, self._on_revoked = on_assigned, on_revoked
        self._client: Consumer = _client(Consumer, {**CONSUMER, "group.id": group, **group_protocol()})
        self._client.subscribe([topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke)

    def take(self, limit: int, timeout: float) -> list[Record]:
        """Waits at most `timeout` seconds for a first message, then takes what is already there: a batch never waits to fill.

        Raises BrokerMisused, OutOfRange.
        """
        try:
            first = self._client.poll(timeout)
            messages = [first] if first else []
            if first and limit > 1:
                messages += self._client.consume(limit - 1, 0)
        except KafkaException as error:
            raise _translate(error.args[0]) from error
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
        """Leaves the group."""
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
        problem = _translate(error)
        if isinstance(problem, BrokerMisused):
            raise problem
        return False  # the client recovers from all others by itself


def group_protocol() -> dict[str, Any]:
    """KIP-848's protocol, or the classic one with cooperative rebalancing (KIP-429)."""
    if settings.KAFKA_GROUP_PROTOCOL == "consumer":
        return {"group.protocol": "consumer"}
    return {"group.protocol": "classic", "partition.assignment.strategy": "cooperative-sticky"}


def record(message: Message) -> Record:
    """The client's message as a record; a consumer's headers are a list of bytes, whatever the client's types allow."""
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
    return Record(topic, partition, offset, message.timestamp()[1], message.key(), headers, message.value())


def _translate(error: KafkaError) -> BrokerAway | BrokerMisused:
    fatal = error.fatal() or error.code() == KafkaError._FATAL  # what poll gives as a message has only the code, and the cause in words
    if error.code() in TOO_OLD or (fatal and any(KafkaError(code).str() in error.str() for code in TOO_OLD)):
        return BrokerMisused("the broker does not know this group protocol (KIP-848 needs Kafka 4.0): set KAFKA_GROUP_PROTOCOL=classic")
    if error.code() in {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError._AUTHENTICATION}:
        return BrokerMisused(f"the broker refuses this client: {error.str()}; see KAFKA_CONFIG")
    if fatal:
        return BrokerMisused(f"the Kafka client cannot go on: {error.str()}")
    return BrokerAway(error.str())


class Inspector:
    """Asks a broker about its logs. It never subscribes, so it survives broker restarts and disturbs no group."""

    def __init__(self, group: str = "shop.inspector") -> None:
        self._client: Consumer = _client(Consumer, {**CONSUMER, "group.id": group, "auto.offset.reset": "earliest"})

    def partitions(self, topic: str) -> list[int]:
        """The topic's partitions. Raises BrokerAway, and BrokerMisused when there is no such topic."""
        found = self._metadata(topic).topics.get(topic)
        if found is None or found.error is not None:
            raise BrokerMisused(f"the topic {topic} does not exist: run `python manage.py create_topics`")
        return sorted(found.partitions)

    def cluster_id(self, topic: str) -> str:
        return str(self._metadata(topic).cluster_id or "")

    def watermarks(self, topic: str, partition: int) -> Watermarks:
        try:
            low, high = self._client.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise BrokerAway(str(error)) from error
        return Watermarks(low, high)

    def committed(self, topic: str, partitions: Sequence[int]) -> dict[int, int]:
        """The group's committed offsets; a partition without one is left out."""
        try:
            answer = self._client.committed([TopicPartition(topic, number) for number in partitions], timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise BrokerAway(str(error)) from error
        return {each.partition: each.offset for each in answer if each.offset >= 0}

    def record_at(self, topic: str, partition: int, offset: int) -> Record | None:
        """The message at `offset`, or None when the log has none there. Raises BrokerAway when it does not say in time."""
        low, high = self.watermarks(topic, partition)
        if not low <= offset < high:
            return None
        self._client.assign([TopicPartition(topic, partition, offset)])
        try:
            message = self._client.poll(ANSWER_SECONDS)
        finally:
            self._client.unassign()
        if message is None or message.error() is not None:
            raise BrokerAway(f"{topic}[{partition}] did not give offset {offset}")
        found = record(message)
        return found if found.offset == offset else None

    def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """The offset of the first message since a time, or the end of the log."""
        try:
            found = self._client.offsets_for_times([TopicPartition(topic, partition, timestamp_ms)], timeout=ANSWER_SECONDS)[0]
        except KafkaException as error:
            raise BrokerAway(str(error)) from error
        return int(found.offset) if found.offset >= 0 else self.watermarks(topic, partition).high

    def commit(self, topic: str, positions: Mapping[int, int]) -> None:
        """Moves the group's committed offsets. Raises BrokerMisused while the group has members."""
        try:
            self._client.commit(offsets=[TopicPartition(topic, number, offset) for number, offset in positions.items()], asynchronous=False)
        except KafkaException as error:
            raise BrokerMisused(f"the group still runs, stop its consumers first ({error.args[0].str()})") from error

    def close(self) -> None:
        self._client.close()

    def _metadata(self, topic: str) -> Any:
        try:
            return self._client.list_topics(topic, timeout=ANSWER_SECONDS)
        except KafkaException as error:
            raise BrokerAway(f"no broker answers at {bootstrap_servers()}") from error


def topic_id(topic: str) -> str:
    """The topic's own id (KIP-516), or "" where the broker is too old to tell it. Raises BrokerAway.

    The admin client is made anew, an old one goes deaf; it is held until it has answered, or its answer never comes.
    """
    admin: AdminClient = _client(AdminClient, {})
    try:
        answer = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_SECONDS)
        return str(answer[topic].result(2 * ANSWER_SECONDS).topic_id or "")
    except KafkaException as error:
        if error.args[0].code() in TOO_OLD:
            return ""
        raise BrokerAway(f"the broker does not tell the id of {topic}: {error.args[0].str()}") from error
    except TimeoutError as error:
        raise BrokerAway(f"the broker does not tell the id of {topic}") from error


def log_identity(inspector: Inspector, topic: str) -> tuple[str, str]:
    """Cluster id and topic id. The embedded broker tells no topic id, and its cluster id is new with every start."""
    cluster = inspector.cluster_id(topic)
    return cluster, "" if cluster.startswith(MOCK) else topic_id(topic)


def create_topics(names: Sequence[str], *, partitions: int, replication_factor: int) -> dict[str, str]:
    """Makes the topics that are missing and says of each "created" or "exists". Raises BrokerAway, BrokerMisused."""
    admin: AdminClient = _client(AdminClient, {})
    try:
        known = admin.list_topics(timeout=ANSWER_SECONDS).topics
    except KafkaException as error:
        raise BrokerAway(f"no broker answers at {bootstrap_servers()}") from error
    missing = [NewTopic(name, num_partitions=partitions, replication_factor=replication_factor) for name in names if name not in known]
    answers = admin.create_topics(missing, operation_timeout=ANSWER_SECONDS) if missing else {}
    return {name: _created(answers[name]) if name in answers else "exists" for name in names}


def _created(answer: Any) -> str:
    try:
        answer.result(timeout=2 * ANSWER_SECONDS)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return "exists"
        raise BrokerMisused(f"the topic could not be made: {error.args[0].str()}") from error
    return "created"
