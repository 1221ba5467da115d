"""The relay's side: messages go out, and each answer is waited for."""

import os
import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, NamedTuple

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from kafka_shop.messaging.envelope import Headers
from kafka_shop.messaging.kafka.client import ANSWER_SECONDS, BrokerAway, bootstrap_servers, open_client

log = structlog.get_logger("relay")

PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 5,  # a window goes out in few requests; nothing waits so long, for `send` flushes when its last message is there
    "compression.type": "lz4",
    "delivery.timeout.ms": 4500,  # below the relay's turn of 5 s: no row is published again while it may still arrive
    "partitioner": "murmur2_random",  # as Java clients do
    "queue.buffering.max.messages": 200_000,
}
FLUSH_SECONDS = 0.002  # long enough for the client to send what it has; an answer may come later
LOOK_SECONDS = 0.005  # between two looks at the answers: another thread's poll may have taken this one's
REFUSED_FOR_GOOD = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD}


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
            retire_if_broken(client, error)

    for number, key, headers, value in messages:
        sent += 1
        try:
            client.produce(topic, value, key, headers=list(headers), on_delivery=partial(answer, number))
        except BufferError:
            refused[number] = Refusal("the client's queue is full", False)
        except KafkaException as error:
            answer(number, error.args[0])
    await_answers(client, lambda: len(acknowledged) + len(refused) == sent, until)
    return acknowledged, refused


def await_answers(client: Producer, are_all_there: Callable[[], bool], until: float) -> None:
    """Lets the client send at once what it still has, and serves what it is told until every answer has come or time is up."""
    flushed = False
    while not are_all_there() and time.monotonic() < until:
        try:
            if flushed:
                client.poll(LOOK_SECONDS)
            else:
                flushed = True
                client.flush(FLUSH_SECONDS)
        except KafkaException as error:
            retire_if_broken(client, error.args[0])


@cache
def _producer(pid: int) -> Producer:
    client: Producer = open_client(Producer, PRODUCER)
    return client


def producer() -> Producer:
    """The process's one producer, made after fork: a new idempotent producer waits for its first acknowledgement."""
    return _producer(os.getpid())


def retire_if_broken(client: Producer, error: KafkaError) -> None:
    """An idempotent producer that lost the thread, as after a log was cut, can do nothing more: the next turn makes a new one."""
    if (error.fatal() or error.code() == KafkaError._FATAL) and producer() is client:
        log.warning("the Kafka producer is broken and is replaced", reason=error.str())
        _producer.cache_clear()


def warm() -> None:
    """Connects the producer, so that no customer waits for the half a second that a new idempotent one takes. Raises BrokerAway."""
    try:
        producer().list_topics(timeout=ANSWER_SECONDS)
    except KafkaException as error:
        raise BrokerAway(f"no broker answers at {bootstrap_servers()}") from error
