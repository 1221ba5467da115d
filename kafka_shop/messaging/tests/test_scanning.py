"""A stretch of a log is read from its beginning to its end, on the embedded broker, too."""

from uuid import uuid4

import pytest
from pytest_django import Settings

from kafka_shop.messaging.kafka import BrokerAway, Inspector, Outgoing, scan, scanning, send

TOPIC = "range-topic"


@pytest.fixture
def written(embedded_broker: str) -> tuple[int, int, int]:
    """Twenty messages of one key: their partition, the offset of the first, and the end of the log."""
    key = str(uuid4())
    send(TOPIC, [Outgoing(number, key, [], str(number).encode()) for number in range(20)], timeout=30)
    inspector = Inspector()
    for partition in inspector.partitions(TOPIC):
        high = inspector.watermarks(TOPIC, partition).high
        record = inspector.record_at(TOPIC, partition, high - 1) if high else None
        if record and record.key == key.encode():
            inspector.close()
            return partition, high - 20, high
    raise AssertionError("the messages are nowhere")


def values(*span: int) -> list[int]:
    return [int(record.value or b"") for records in scan(TOPIC, *span) for record in records]


def test_all_messages_of_the_stretch_come_once_in_order(written: tuple[int, int, int]) -> None:
    partition, first, end = written
    assert values(partition, first, end) == list(range(20))
    assert values(partition, first + 5, first + 7) == [5, 6]


def test_a_stretch_without_messages_is_empty_at_once(written: tuple[int, int, int]) -> None:
    partition, first, end = written
    assert values(partition, end, end) == []
    assert values(partition, end, first) == []


def test_a_stretch_that_ends_behind_the_log_ends_with_the_log(written: tuple[int, int, int]) -> None:
    partition, first, end = written
    assert values(partition, first, end + 1000) == list(range(20))


def test_a_list_is_never_longer_than_a_chunk(written: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "CHUNK", 3)
    partition, first, end = written
    assert max(len(records) for records in scan(TOPIC, partition, first, end)) <= 3
    assert values(partition, first, end) == list(range(20))


def test_a_broker_that_is_away_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:9"
    monkeypatch.setattr(scanning, "ANSWER_SECONDS", 0.2)
    with pytest.raises(BrokerAway):
        list(scan(TOPIC, 0, 0, 1))
