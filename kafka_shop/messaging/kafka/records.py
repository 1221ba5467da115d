"""Messages as they lie in a log."""

from typing import NamedTuple, cast

from confluent_kafka import Message


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


def record(message: Message) -> Record:
    """The client's message as a record."""
    topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
    return Record(topic, partition, offset, message.timestamp()[1], message.key(), headers_of(message), message.value())


def headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    """A consumer's headers are a list of bytes, whatever the client's types allow; with a name that is not UTF-8 it gives none of them."""
    try:
        return cast("list[tuple[str, bytes | None]]", message.headers() or [])
    except UnicodeDecodeError:
        return []
