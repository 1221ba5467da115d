"""One process of the ceiling's pipeline: `python -m bench.ceiling_process DSN BOOTSTRAP TOPICS BATCH_SIZE billing|orders|notify|relay`.

The relay carries all destinations in one turn: locks other relays out, reads the oldest rows, publishes them in CloudEvents' binary
mode, waits for every acknowledgement, deletes them. TOPICS is JSON: the topics by logical name.
"""

import gc
import json
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec
import psycopg
from confluent_kafka import KafkaError, Message, Producer
from psycopg.rows import TupleRow

from bench import ceiling
from bench.ceiling_step import Connection
from bench.ceiling_steps import STEPS

WINDOW = 4000
LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('outbox'), hashtext('order-topic'))"  # one of the shop's relay
PENDING = "SELECT number, destination, key, event FROM messaging_outboxrow ORDER BY number LIMIT %s"
DELETE = "DELETE FROM messaging_outboxrow WHERE number = ANY(%b)"
PRODUCER = {
    "enable.idempotence": True,
    "linger.ms": 5,
    "compression.type": "lz4",
    "delivery.report.only.error": True,
    "partitioner": "murmur2_random",
}
IDLE_SECONDS = 0.002


class Envelope(msgspec.Struct):
    """A CloudEvent in its JSON format."""

    id: str
    type: str
    source: str
    subject: str
    time: str
    partitionkey: str
    data: msgspec.Raw


decode = msgspec.json.Decoder(Envelope).decode


def relay(bootstrap: str, dsn: str, topics: Mapping[str, str]) -> None:
    """Publishes what comes to the outbox, for ever."""
    producer = Producer({"bootstrap.servers": bootstrap, **PRODUCER})
    with psycopg.connect(dsn, autocommit=True) as connection:
        while True:
            if not carry(connection, producer, topics):
                time.sleep(IDLE_SECONDS)


def carry(connection: Connection, producer: Producer, topics: Mapping[str, str]) -> int:
    """Carries a window of rows; returns how many."""
    with connection.transaction(), connection.cursor(binary=True) as cursor:
        mine = cursor.execute(LOCK).fetchone() == (True,)
        rows = cursor.execute(PENDING, [WINDOW]).fetchall() if mine else []
        if rows:
            publish(producer, topics, rows)
            cursor.execute(DELETE, [[row[0] for row in rows]])
    return len(rows)


def publish(producer: Producer, topics: Mapping[str, str], rows: Sequence[TupleRow]) -> None:
    """Returns when the broker has all rows. Raises RuntimeError when one was refused."""
    failures: list[str] = []

    def failed(error: KafkaError | None, _: Message) -> None:
        failures.append(str(error))

    for _, destination, key, event in rows:
        fact = decode(event)
        producer.produce(topics[destination], bytes(fact.data), key, headers=headers(fact), on_delivery=failed)
    if producer.flush(10) or failures:
        raise RuntimeError(f"not every row could be published: {failures[:1]}")


def headers(fact: Envelope) -> list[tuple[str, str | bytes | None]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", fact.id),
        ("ce_type", fact.type),
        ("ce_source", fact.source),
        ("ce_subject", fact.subject),
        ("ce_time", fact.time),
        ("ce_partitionkey", fact.partitionkey),
        ("content-type", b"application/json"),
    ]


def main() -> None:
    dsn, bootstrap, topics_json, batch_size, name = sys.argv[1:]
    topics: Mapping[str, str] = json.loads(topics_json)
    gc.freeze()
    if name == "relay":
        relay(bootstrap, dsn, topics)
    else:
        topic, step = STEPS[name]
        ceiling.follow(bootstrap, dsn, topics[topic], step, batch_size=int(batch_size))


if __name__ == "__main__":
    main()
