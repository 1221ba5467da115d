"""Reads a stretch of a log from its beginning to its end, outside of every group."""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kafka_shop.messaging.kafka.client import ANSWER_SECONDS, BrokerAway, open_client, translate
from kafka_shop.messaging.kafka.records import Record, record
from kafka_shop.messaging.kafka.subscription import CONSUMER

CHUNK = 2000
READER: dict[str, Any] = {**CONSUMER, "group.id": "shop.audit", "auto.offset.reset": "earliest", "enable.partition.eof": True}


def scan(topic: str, partition: int, start: int, stop: int) -> Iterator[list[Record]]:
    """The messages from offset `start` up to `stop` and without it, in lists of at most CHUNK.

    What retention deletes meanwhile is left out, and so are offsets that no message has. Raises BrokerAway, BrokerMisused.
    """
    if start >= stop:
        return
    client: Consumer = open_client(Consumer, READER)
    try:
        client.assign([TopicPartition(topic, partition, start)])
        while start < stop:
            found, ended = _take(client)
            start = stop if ended else found[-1].offset + 1
            if wanted := [each for each in found if each.offset < stop]:
                yield wanted
    finally:
        client.close()


def _take(client: Consumer) -> tuple[list[Record], bool]:
    """The next messages, and whether the log ends behind them."""
    try:
        messages = [client.poll(ANSWER_SECONDS), *client.consume(CHUNK - 1, 0)]
    except KafkaException as error:
        raise translate(error.args[0]) from error
    found, ended = [], False
    for message in messages:
        if message is None:
            raise BrokerAway("the broker does not go on with a log that it began to give")
        problem = message.error()
        if problem is None:
            found.append(record(message))
        elif problem.code() == KafkaError._PARTITION_EOF:
            ended = True
        else:
            raise translate(problem)
    return found, ended
