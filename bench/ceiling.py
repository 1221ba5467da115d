"""The ceiling: a consumer by hand, psycopg and confluent-kafka in batches, without Django and without the shop's engine,
on the very tables of the shop.

Exactly once: effects, results (outbox rows) and position are one transaction, and only the owner of a position can move it.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from bench.ceiling_step import Connection, Step, StepFor, biller

CONSUMER = {"group.id": "bench.ceiling", "enable.auto.commit": False, "auto.offset.reset": "error"}
BROKER_SECONDS = 10.0
CLAIM = """
    INSERT INTO consumers_position (consumer, topic, partition, owner, position, cluster_id, topic_id, anchor_event_id,
                                    stalled_claims, lone_attempts)
    SELECT 'ceiling', %s, number, %s, 0, '', '', '', 0, 0 FROM unnest(%s::int[]) number
    ON CONFLICT (consumer, topic, partition) DO UPDATE SET owner = excluded.owner RETURNING partition, position
"""
FENCE = """
    UPDATE consumers_position p SET position = new.finish
    FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) new (partition, start, finish)
    WHERE p.consumer = 'ceiling' AND p.topic = %s AND p.owner = %s AND p.partition = new.partition AND p.position = new.start
"""


class Fenced(RuntimeError):
    """Another process has claimed the partitions; nothing of the batch is kept."""


@dataclass
class Claim:
    """What this process may move: the position of each partition."""

    topic: str
    owner: UUID
    positions: dict[int, int]


def run(bootstrap: str, dsn: str, topic: str, step: StepFor = biller, *, batch_size: int = 1000) -> float:
    """Apply what lies on the topic and return messages per second, from the first message in hand to the last commit.

    Raises Fenced when another process claims the same.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap, **CONSUMER})
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            return _drain(connection, consumer, topic, step(connection), batch_size)
    finally:
        consumer.close()


def _drain(connection: Connection, consumer: Consumer, topic: str, step: Step, batch_size: int) -> float:
    ends = _ends(consumer, topic)
    claim = begin(connection, consumer, topic, list(ends))
    count, started = 0, 0.0
    while any(claim.positions[number] < end for number, end in ends.items()):
        messages = _take(consumer, batch_size)
        started = started or time.perf_counter()
        turn(connection, consumer, claim, messages, step)
        count += len(messages)
    return count / (time.perf_counter() - started) if count else 0.0


def follow(bootstrap: str, dsn: str, topic: str, step: StepFor, *, batch_size: int) -> None:
    """Apply what comes on the topic, for ever. Raises Fenced."""
    consumer = Consumer({"bootstrap.servers": bootstrap, **CONSUMER})
    with psycopg.connect(dsn, autocommit=True) as connection:
        claim, apply = begin(connection, consumer, topic, list(_ends(consumer, topic))), step(connection)
        while True:
            with suppress(TimeoutError):
                turn(connection, consumer, claim, _take(consumer, batch_size), apply)


def begin(connection: Connection, consumer: Consumer, topic: str, partitions: Sequence[int]) -> Claim:
    """Take the partitions from whoever had them, and read on from where they stand."""
    claim = _claim(connection, topic, partitions)
    consumer.assign(_offsets(claim))
    return claim


def turn(connection: Connection, consumer: Consumer, claim: Claim, messages: Sequence[Message], step: Step) -> None:
    """Apply one batch. Raises Fenced."""
    _apply(connection, claim, messages, step)
    consumer.commit(offsets=_offsets(claim), asynchronous=True)  # for lag tools only


def _ends(consumer: Consumer, topic: str) -> dict[int, int]:
    numbers = consumer.list_topics(topic, BROKER_SECONDS).topics[topic].partitions
    return {number: consumer.get_watermark_offsets(TopicPartition(topic, number), BROKER_SECONDS)[1] for number in numbers}


def _claim(connection: Connection, topic: str, partitions: Sequence[int]) -> Claim:
    owner = uuid4()
    positions: dict[int, int] = dict(connection.execute(CLAIM, (topic, owner, partitions)).fetchall())
    return Claim(topic, owner, positions)


def _offsets(claim: Claim) -> list[TopicPartition]:
    return [TopicPartition(claim.topic, number, position) for number, position in claim.positions.items()]


def _take(consumer: Consumer, batch_size: int) -> list[Message]:
    """Wait for the first message, then take what is there already. Raises KafkaException, or TimeoutError when none comes."""
    first = consumer.poll(BROKER_SECONDS)
    if first is None:
        raise TimeoutError(f"no message within {BROKER_SECONDS:g} s")
    messages = [first, *consumer.consume(batch_size - 1, 0)]
    for message in messages:
        if error := message.error():
            raise KafkaException(error)
    return messages


def _apply(connection: Connection, claim: Claim, messages: Sequence[Message], step: Step) -> None:
    """Apply a batch and move its partitions in one transaction. Raises Fenced."""
    moved = {message.partition() or 0: (message.offset() or 0) + 1 for message in messages}
    numbers = sorted(moved)
    with connection.transaction(), connection.cursor() as cursor:
        starts, finishes = [claim.positions[number] for number in numbers], [moved[number] for number in numbers]
        cursor.execute(FENCE, (numbers, starts, finishes, claim.topic, claim.owner))
        if cursor.rowcount != len(numbers):
            raise Fenced(f"{claim.topic} {numbers}: claimed by another process")
        step(cursor, messages)
    claim.positions |= moved
