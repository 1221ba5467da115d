"""Questions about logs: how far they go, what lies where, and whether a log is the one it was."""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from kafka_shop.messaging.kafka.client import ANSWER_SECONDS, TOO_OLD, BrokerAway, BrokerMisused, bootstrap_servers, open_client
from kafka_shop.messaging.kafka.records import Record, Watermarks, record
from kafka_shop.messaging.kafka.subscription import CONSUMER

MOCK = "mockCluster"  # the prefix of the cluster id of librdkafka's own broker, the embedded one
LOOKS: dict[str, Any] = {
    **CONSUMER,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 5,  # the next question waits for a fetch that is still under way at the end of the log
    "fetch.message.max.bytes": 65_536,  # it wants one message; a broker gives a larger one, too (KIP-74)
}


class Inspector:
    """Asks a broker about its logs. It never subscribes, so it survives broker restarts and disturbs no group."""

    def __init__(self, group: str = "shop.inspector") -> None:
        self._client: Consumer = open_client(Consumer, {**LOOKS, "group.id": group})

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
        """The offset of the first message since a time, or the end of the log. Raises BrokerAway and BrokerMisused."""
        if self.cluster_id(topic).startswith(MOCK):  # it answers with the end, whatever the time
            raise BrokerMisused("the embedded broker cannot tell where in a log a time is: use earliest or latest")
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
    admin: AdminClient = open_client(AdminClient, {})
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
