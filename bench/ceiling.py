"""The ceiling: the billing service by hand, psycopg and confluent-kafka in batches, without Django and without the shop's engine.

Exactly once: effects, results (outbox rows) and position are one transaction, and only the owner of a position can move it.
"""

import time
from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

import psycopg
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from psycopg.rows import TupleRow

from bench.ceiling_step import bill

CONSUMER = {"group.id": "bench.ceiling", "enable.auto.commit": False, "auto.offset.reset": "error"}
BROKER_SECONDS = 10.0
CLAIM = """
    INSERT INTO bench_progress (topic, partition, owner, position) SELECT %s, number, %s, 0 FROM unnest(%s::int[]) number
    ON CONFLICT (topic, partition) DO UPDATE SET owner = excluded.owner RETURNING partition, position
"""
FENCE = """
    UPDATE bench_progress p SET position = new.finish
    FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) new (partition, start, finish)
    WHERE p.topic = %s AND p.owner = %s AND p.partition = new.partition AND p.position = new.start
"""

Connection = psycopg.Connection[TupleRow]


class Fenced(RuntimeError):
    """Another process has claimed the partitions; nothing of the batch is kept."""


def run(bootstrap: str, dsn: str, topic: str, *, batch_size: int = 1000, partitions: Sequence[int] | None = None) -> float:
    """Apply what lies on the topic, or on some of its partitions, and return messages per second.

    The clock runs from the first message in hand to the last commit. Raises Fenced when another process claims the same.
    """
    consumer = Consumer({"bootstrap.servers": bootstrap, **CONSUMER})
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            ends = _ends(consumer, topic, partitions)
            return _drain(connection, consumer, topic, ends, batch_size)
    finally:
        consumer.close()


def _ends(consumer: Consumer, topic: str, partitions: Sequence[int] | None) -> dict[int, int]:
    numbers = partitions or consumer.list_topics(topic, BROKER_SECONDS).topics[topic].partitions
    return {number: consumer.get_watermark_offsets(TopicPartition(topic, number), BROKER_SECONDS)[1] for number in numbers}


def _drain(connection: Connection, consumer: Consumer, topic: str, ends: dict[int, int], batch_size: int) -> float:
    owner = uuid4()
    positions: dict[int, int] = dict(connection.execute(CLAIM, (topic, owner, list(ends))).fetchall())
    consumer.assign(_offsets(topic, positions))
    count, started = 0, 0.0
    while any(positions[number] < end for number, end in ends.items()):
        messages = _take(consumer, batch_size)
        started = started or time.perf_counter()
        positions |= _apply(connection, topic, owner, positions, messages)
        consumer.commit(offsets=_offsets(topic, positions), asynchronous=True)  # for lag tools only
        count += len(messages)
    return count / (time.perf_counter() - started) if count else 0.0


def _offsets(topic: str, positions: dict[int, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, number, position) for number, position in positions.items()]


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


def _apply(connection: Connection, topic: str, owner: UUID, positions: dict[int, int], messages: Iterable[Message]) -> dict[int, int]:
    """Apply a batch and move its partitions in one transaction; return their new positions."""
    moved = {message.partition() or 0: (message.offset() or 0) + 1 for message in messages}
    numbers = sorted(moved)
    with connection.transaction(), connection.cursor() as cursor:
        starts, finishes = [positions[number] for number in numbers], [moved[number] for number in numbers]
        cursor.execute(FENCE, (numbers, starts, finishes, topic, owner))
        if cursor.rowcount != len(numbers):
            raise Fenced(f"{topic} {numbers}: claimed by another process")
        bill(cursor, messages)
    return moved
