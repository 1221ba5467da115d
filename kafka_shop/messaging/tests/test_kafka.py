"""The Kafka client on the embedded broker: what is sent is read, from where it was asked for, and problems have names."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException
from pytest_django import Settings

from kafka_shop.messaging.envelope import from_kafka, seal
from kafka_shop.messaging.kafka import (
    MOCK,
    BrokerAway,
    BrokerMisused,
    Inspector,
    Outgoing,
    OutOfRange,
    Record,
    Subscription,
    inspector,
    log_identity,
    records,
    send,
    sending,
    subscription,
)
from kafka_shop.messaging.kafka.client import ClientLost, bootstrap_servers, open_client, translate
from kafka_shop.messaging.relay import TURN_SECONDS, Courier, over_kafka
from kafka_shop.messaging.tests.carrying import publish, turn, waiting
from kafka_shop.messaging.tests.stubs import CUSTOMER, several
from tests.sessions import eventually

TOPIC = "order-topic"


class Member:
    """A member of a group of its own, and what it was assigned."""

    def __init__(self, topic: str = TOPIC) -> None:
        self.group, self.assigned, self.revoked = f"test.{uuid4()}", set[int](), set[int]()
        self.subscription = Subscription(self.group, topic, on_assigned=self.assigned.update, on_revoked=self.revoked.update)
        self.records: list[Record] = []

    def poll(self, limit: int = 1000) -> list[Record]:
        taken = self.subscription.take(limit, 0.1)
        self.records += taken
        return taken

    def until(self, condition: Callable[[], object]) -> None:
        eventually(lambda: (condition() or self.poll()) and condition())


@pytest.fixture
def member(embedded_broker: str) -> Iterator[Member]:
    """A member that has been assigned both partitions."""
    member = Member()
    member.until(lambda: len(member.assigned) == 2)
    yield member
    member.subscription.close()


def messages(count: int, key: str = "k") -> list[Outgoing]:
    return [Outgoing(number, key, [("n", str(number).encode())], f"value {number}".encode()) for number in range(count)]


def ends() -> dict[int, int]:
    look = Inspector()
    found = {number: look.watermarks(TOPIC, number).high for number in look.partitions(TOPIC)}
    look.close()
    return found


def flow(member: Member, starts: dict[int, int]) -> None:
    for partition, offset in starts.items():
        member.subscription.start(partition, offset)


@pytest.mark.usefixtures("embedded_broker")
def test_everything_that_is_sent_is_acknowledged_by_its_number() -> None:
    acknowledged, refused = send(TOPIC, messages(500), timeout=10)

    assert sorted(acknowledged) == list(range(500)) and refused == {}


@pytest.mark.usefixtures("embedded_broker")
def test_a_message_too_large_is_refused_for_good_and_the_others_go() -> None:
    large = Outgoing(7, "k", [], b"x" * 2_000_000)

    acknowledged, refused = send(TOPIC, [*messages(2), large], timeout=10)

    assert sorted(acknowledged) == [0, 1]
    assert refused[7].for_good and "too large" in refused[7].reason


@pytest.mark.parametrize(
    ("code", "for_good"),
    [
        (KafkaError.MSG_SIZE_TOO_LARGE, True),
        (KafkaError.INVALID_RECORD, True),
        (KafkaError._MSG_TIMED_OUT, False),
        (KafkaError.NOT_ENOUGH_REPLICAS, False),
        (KafkaError.LEADER_NOT_AVAILABLE, False),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, False),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, False),
    ],
)
def test_only_what_no_time_can_help_is_refused_for_good(monkeypatch: pytest.MonkeyPatch, code: int, for_good: bool) -> None:
    class Refusing:
        """A client whose broker refuses everything."""

        def produce(self, *_: object, on_delivery: Callable[[KafkaError, None], None], **__: object) -> None:
            on_delivery(KafkaError(code), None)

    monkeypatch.setattr(sending, "producer", Refusing)

    acknowledged, refused = send(TOPIC, messages(1), timeout=10)

    assert acknowledged == [] and refused[0].for_good is for_good


class Broken:
    """A producer that lost the thread: what it is asked for fails in one way or another."""

    fatal = KafkaError(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True)

    def __init__(self, way: str) -> None:
        self._way = way

    def produce(self, *_: object, on_delivery: Callable[[KafkaError, None], None], **__: object) -> None:
        if self._way == "produce":
            raise KafkaException(KafkaError(KafkaError._FATAL))
        if self._way == "answer":
            on_delivery(KafkaError(KafkaError._FATAL), None)

    def poll(self, _: float) -> None:
        if self._way == "poll":
            self._way = "silent"  # it says so once
            raise KafkaException(self.fatal)

    flush = poll


@pytest.mark.parametrize("way", ["produce", "answer", "poll"])
def test_a_producer_that_can_do_nothing_more_is_replaced_and_its_messages_are_sent_again(
    monkeypatch: pytest.MonkeyPatch, way: str, embedded_broker: str
) -> None:
    made = iter([lambda *_: Broken(way), open_client, open_client])
    monkeypatch.setattr(sending, "open_client", lambda *arguments: next(made)(*arguments))

    acknowledged, refused = send(TOPIC, messages(1), timeout=0.2)
    assert acknowledged == [] and not any(refusal.for_good for refusal in refused.values())

    assert send(TOPIC, messages(1), timeout=10)[0] == [0]
    assert send(TOPIC, messages(1), timeout=10)[0] == [0]
    assert len(list(made)) == 1, "one new producer, not one a turn"


def test_the_client_gives_a_message_up_before_the_relay_does() -> None:
    assert sending.PRODUCER["delivery.timeout.ms"] < TURN_SECONDS * 1000 < Courier("", "", over_kafka("")).idle_seconds * 1000


def test_what_has_no_answer_in_time_is_neither_acknowledged_nor_refused(settings: Settings) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    sending._producer.cache_clear()
    began = time.monotonic()

    assert send(TOPIC, messages(1), timeout=0.3) == ([], {})

    assert time.monotonic() - began < 5
    sending._producer.cache_clear()


def test_a_member_reads_from_where_it_is_told_and_nothing_before(member: Member) -> None:
    before = ends()
    send(TOPIC, messages(10), timeout=10)
    [partition] = [number for number, end in ends().items() if end > before[number]]
    assert member.poll() == [], "a partition flows only when it is started"

    flow(member, {partition: before[partition] + 4})
    member.until(lambda: len(member.records) == 6)

    assert [record.value for record in member.records] == [f"value {number}".encode() for number in range(4, 10)]
    first = member.records[0]
    assert (first.topic, first.partition, first.offset) == (TOPIC, partition, before[partition] + 4)
    assert (first.key, first.headers) == (b"k", [("n", b"4")])
    assert abs(first.timestamp / 1000 - time.time()) < 60


def test_one_key_is_always_in_one_partition_and_keeps_its_order(member: Member) -> None:
    flow(member, ends())
    for _ in range(3):
        send(TOPIC, [*messages(5, "alice"), *messages(5, "bob")], timeout=10)
    member.until(lambda: len(member.records) == 30)

    for key in (b"alice", b"bob"):
        records = [record for record in member.records if record.key == key]
        assert len({record.partition for record in records}) == 1
        assert [record.offset for record in records] == sorted(record.offset for record in records)


def test_a_batch_is_what_is_there_and_at_most_what_is_asked_for(member: Member) -> None:
    flow(member, ends())
    send(TOPIC, messages(30), timeout=10)
    taken = eventually(lambda: member.poll(7))

    assert 1 <= len(taken) <= 7
    member.until(lambda: len(member.records) == 30)


def test_a_paused_partition_is_silent_until_it_is_resumed(member: Member) -> None:
    flow(member, ends())
    member.subscription.pause(member.assigned)
    send(TOPIC, messages(3), timeout=10)
    for _ in range(5):
        assert member.poll() == []

    member.subscription.resume(member.assigned)
    member.until(lambda: len(member.records) == 3)


def test_a_member_leaves_its_group_and_serves_what_waits_before_its_client_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebalance that is served by a closing client now and then never ends, and no thread of the process moves any more."""
    called: list[str] = []
    waiting: list[object] = ["a message", "a message"]

    class Client:
        def subscribe(self, topics: list[str], **callbacks: object) -> None: ...

        def unsubscribe(self) -> None:
            called.append("unsubscribe")

        def poll(self, timeout: float) -> object:
            called.append("poll")
            return waiting.pop() if waiting else None

        def close(self) -> None:
            called.append("close")

    monkeypatch.setattr(subscription, "open_client", lambda kind, config: Client())
    Subscription("group", TOPIC, on_assigned=lambda numbers: None, on_revoked=lambda numbers: None).close()

    assert called == ["unsubscribe", "poll", "poll", "poll", "close"]


@pytest.mark.usefixtures("embedded_broker")
def test_a_member_that_closes_gives_its_partitions_back() -> None:
    member = Member()
    member.until(lambda: len(member.assigned) == 2)
    member.subscription.close()

    assert member.revoked == member.assigned == {0, 1}


def test_committed_offsets_are_seen_by_who_looks(member: Member) -> None:
    member.subscription.commit({0: 3, 1: 4})
    look = Inspector(member.group)
    member.until(lambda: look.committed(TOPIC, [0, 1]) == {0: 3, 1: 4})
    look.close()


@pytest.mark.usefixtures("embedded_broker")
def test_an_offset_that_the_log_does_not_have_is_named() -> None:
    member = Member("range-topic")
    member.until(lambda: len(member.assigned) == 2)
    flow(member, {1: 1000})

    with pytest.raises(OutOfRange) as caught:
        member.until(lambda: False)

    assert (caught.value.partition, caught.value.offset) == (1, 1000)
    member.subscription.close()


@pytest.mark.usefixtures("committed")
def test_a_courier_publishes_what_the_outbox_holds(member: Member) -> None:
    flow(member, ends())
    facts = several(3)
    publish(*facts)

    assert turn(Courier("default", TOPIC, over_kafka(TOPIC))) == 3
    member.until(lambda: len(member.records) == 3)

    assert [from_kafka(record.headers, record.value) for record in member.records] == [seal(fact) for fact in facts]
    assert {record.key for record in member.records} == {str(CUSTOMER).encode()}
    assert waiting() == []


@pytest.mark.usefixtures("embedded_broker")
class TestInspector:
    def test_a_record_is_read_again_at_its_offset(self) -> None:
        before = ends()
        send(TOPIC, messages(3), timeout=10)
        [partition] = [number for number, end in ends().items() if end > before[number]]
        look = Inspector()

        found = look.record_at(TOPIC, partition, before[partition] + 1)

        assert found is not None and found.value == b"value 1"
        assert look.record_at(TOPIC, partition, before[partition] + 3) is None
        look.close()

    def test_the_embedded_broker_is_known_by_its_cluster_id_and_has_no_topic_id(self) -> None:
        look = Inspector()

        cluster, topic = log_identity(look, TOPIC)

        assert cluster.startswith(MOCK) and topic == ""
        look.close()


def test_a_broker_that_does_not_answer_is_away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    monkeypatch.setattr(inspector, "ANSWER_SECONDS", 0.2)
    look = Inspector()

    with pytest.raises(BrokerAway, match=r"no broker answers at 127\.0\.0\.1:1"):
        look.partitions(TOPIC)
    with pytest.raises(BrokerAway):
        look.watermarks(TOPIC, 0)
    look.close()


@pytest.mark.parametrize("config", [{"no.such.property": "1"}, {"security.protocol": "nonsense"}, {"linger.ms": [1]}])
def test_a_configuration_that_the_client_refuses_names_its_setting(settings: Settings, config: dict[str, object]) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS, settings.KAFKA_CONFIG = "127.0.0.1:1", config

    with pytest.raises(BrokerMisused, match="KAFKA_CONFIG"):
        Inspector()


def test_a_broker_is_the_named_one_else_the_embedded_one_that_runs(settings: Settings, tmp_path: Path) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS, settings.EMBEDDED_BROKER_FILE = "", tmp_path / "broker"
    for content in (None, "", "127.0.0.1:9 999999999", "nonsense"):
        if content is not None:
            settings.EMBEDDED_BROKER_FILE.write_text(content)
        with pytest.raises(BrokerMisused, match=r"set KAFKA_BOOTSTRAP_SERVERS, or start `python manage.py run_broker`"):
            bootstrap_servers()

    settings.EMBEDDED_BROKER_FILE.write_text(f"127.0.0.1:9 {os.getpid()}\n")
    assert bootstrap_servers() == "127.0.0.1:9"
    settings.KAFKA_BOOTSTRAP_SERVERS = "broker:9092"
    assert bootstrap_servers() == "broker:9092"


def test_a_header_whose_name_is_not_utf_8_ends_no_consumer() -> None:
    class Foreign:
        """A message as the client gives it; no Python client can send one like it."""

        def headers(self) -> list[tuple[str, bytes]]:
            return [(b"\xff".decode(), b"")]

        def timestamp(self) -> tuple[int, int]:
            return 1, 1_700_000_000_000

        def __getattr__(self, name: str) -> Callable[[], object]:
            return {"topic": lambda: TOPIC, "partition": lambda: 1, "offset": lambda: 7, "key": lambda: b"k", "value": lambda: b"v"}[name]

    read = records.record(Foreign())  # type: ignore[arg-type]  # it stands in for a message
    assert read == Record(TOPIC, 1, 7, 1_700_000_000_000, b"k", [], b"v")


def test_a_coordinator_that_does_not_know_its_groups_yet_costs_a_client_and_not_the_process() -> None:
    told = KafkaError(KafkaError._FATAL, "Fatal error: Broker: The group id does not exist: ConsumerGroupHeartbeat fatal error", fatal=True)

    assert isinstance(translate(told), ClientLost)
