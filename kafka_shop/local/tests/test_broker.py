"""The embedded broker: found by its file, gone with its process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer

from kafka_shop.local import broker

ROOT = Path(__file__).resolve().parents[3]
TOPICS = {"order-topic": 2, "billing-topic": 2, "notify-topic": 2}


def run_broker(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "manage.py", "run_broker"]
    environment = {**os.environ, "VAR_DIR": str(folder)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def process(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = run_broker(tmp_path)
    assert process.stdout and "listens on" in process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def produce(address: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": address, "acks": "all"})
    producer.produce("order-topic", value)
    assert producer.flush(10) == 0


def consume(address: str) -> bytes | None:
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": str(uuid4()), "group.protocol": "consumer", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["order-topic"])
    message = consumer.poll(10)
    consumer.close()
    return message.value() if message else None


def partitions(address: str) -> dict[str, int]:
    topics = Consumer({"bootstrap.servers": address, "group.id": "x"}).list_topics(timeout=5).topics
    return {name: len(topic.partitions) for name, topic in topics.items()}


def test_it_carries_messages_between_processes(process: "subprocess.Popen[str]", tmp_path: Path) -> None:
    known = broker.running(tmp_path / "broker")
    assert known is not None and known.pid == process.pid

    produce(known.address, b"a")

    assert consume(known.address) == b"a"
    assert partitions(known.address) == TOPICS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly_and_removes_its_file(process: "subprocess.Popen[str]", tmp_path: Path, number: int) -> None:
    process.send_signal(number)

    assert process.communicate(timeout=5) == ("", "")
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_killed_broker_is_ignored(process: "subprocess.Popen[str]", tmp_path: Path) -> None:
    process.kill()
    process.wait()

    assert (tmp_path / "broker").exists()
    assert broker.running(tmp_path / "broker") is None
    broker.refuse_second(tmp_path / "broker")


def test_a_second_one_is_refused_in_one_line(process: "subprocess.Popen[str]", tmp_path: Path) -> None:
    output, errors = run_broker(tmp_path).communicate()

    assert output == ""
    assert errors == (
        f"Error: an embedded broker runs already at {broker.running(tmp_path / 'broker').address} (process {process.pid}):"  # type: ignore[union-attr]  # it runs
        " stop it first, or set another VAR_DIR\n"
    )


def test_a_wheel_without_the_c_interface_still_gives_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise OSError

    monkeypatch.setattr(broker, "_library", missing)
    cluster = broker.start(list(TOPICS))

    produce(cluster.address, b"b")

    assert consume(cluster.address) == b"b"


def test_where_the_library_does_not_make_topics_they_are_there_all_the_same() -> None:
    cluster = broker.PlainCluster(list(TOPICS))

    assert set(partitions(cluster.address)) == set(TOPICS)
    produce(cluster.address, b"a")
    assert consume(cluster.address) == b"a"
