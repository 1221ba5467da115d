"""The cluster keeps what it promises to the tests that stand on it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin._config import ConfigResource

from tests.kafka import probe
from tests.kafka.cluster import ClusterFailed, KafkaCluster
from tests.kafka.fixtures import require_kafka

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    require_kafka()
    with KafkaCluster(tmp_path_factory.mktemp("lone"), properties={"message.max.bytes": "2000000"}) as cluster:
        yield cluster


@pytest.fixture
def topic(lone: KafkaCluster) -> str:
    name = f"topic-{uuid4()}"
    lone.create_topic(name, partitions=2)
    return name


def produce(bootstrap: str, topic: str, *values: bytes) -> None:
    refused: list[str] = []
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "delivery.timeout.ms": 20_000, **probe.CLIENT})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: refused.append(str(error)) if error else None)
    assert producer.flush(30) == 0
    assert refused == []


def consume(bootstrap: str, topic: str, count: int, protocol: str = "consumer") -> list[bytes]:
    """Read until `count` messages came, with a group of its own."""
    group = {"group.id": str(uuid4()), "group.protocol": protocol, "auto.offset.reset": "earliest"}
    consumer = Consumer({"bootstrap.servers": bootstrap, **group, **probe.CLIENT})
    consumer.subscribe([topic])
    read: list[bytes] = []
    deadline = time.monotonic() + 30
    while len(read) < count and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            read.append(message.value() or b"")
    consumer.close()
    return sorted(read)


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_what_is_produced_is_consumed_by_both_kinds_of_group(lone: KafkaCluster, topic: str, protocol: str) -> None:
    produce(lone.bootstrap, topic, b"a", b"b")

    assert consume(lone.bootstrap, topic, 2, protocol) == [b"a", b"b"]


def test_a_killed_node_has_its_data_when_it_starts_again(lone: KafkaCluster, topic: str) -> None:
    produce(lone.bootstrap, topic, b"a")

    lone.kill()
    assert lone.pid() is None
    assert probe.metadata(lone.bootstrap) is None
    lone.start_node()

    produce(lone.bootstrap, topic, b"b")
    assert consume(lone.bootstrap, topic, 2) == [b"a", b"b"]


def test_a_restart_keeps_data_addresses_and_cluster_id(lone: KafkaCluster, topic: str) -> None:
    produce(lone.bootstrap, topic, b"a")
    before = (lone.bootstrap, lone.cluster_id)

    lone.restart()

    assert (lone.bootstrap, lone.cluster_id) == before
    assert consume(lone.bootstrap, topic, 1) == [b"a"]


def test_wiped_disks_are_a_new_cluster_at_the_same_address(lone: KafkaCluster, topic: str) -> None:
    address, cluster_id = lone.bootstrap, lone.cluster_id

    lone.wipe()

    assert lone.bootstrap == address
    assert lone.cluster_id != cluster_id
    with pytest.raises(KafkaException):
        lone.delete_topic(topic)


def test_a_frozen_node_answers_nothing_until_it_thaws(lone: KafkaCluster) -> None:
    lone.freeze()
    assert probe.metadata(lone.bootstrap) is None

    lone.thaw()
    assert probe.metadata(lone.bootstrap) is not None


def test_a_deleted_topic_is_gone_and_can_be_made_anew(lone: KafkaCluster, topic: str) -> None:
    produce(lone.bootstrap, topic, b"old")

    lone.delete_topic(topic)
    lone.create_topic(topic, partitions=1)

    produce(lone.bootstrap, topic, b"new")
    assert consume(lone.bootstrap, topic, 1) == [b"new"]


def test_no_topic_is_made_by_asking_for_it(lone: KafkaCluster) -> None:
    assert consume_error(lone.bootstrap, "nobody-made-this") == "UNKNOWN_TOPIC_OR_PART"


def consume_error(bootstrap: str, topic: str) -> str:
    error = probe.admin(bootstrap).list_topics(topic, timeout=5).topics[topic].error
    return error.name() if error else "none"


def test_further_broker_properties_are_used(lone: KafkaCluster) -> None:
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    admin = probe.admin(lone.bootstrap)
    entries = admin.describe_configs([broker])[broker].result(10)

    assert entries["message.max.bytes"].value == "2000000"


def test_three_nodes_take_and_keep_messages_while_one_is_killed(tmp_path: Path) -> None:
    require_kafka()
    with KafkaCluster(tmp_path, nodes=3) as cluster:
        cluster.create_topic("payments", partitions=3)
        produce(cluster.bootstrap, "payments", b"before")
        cluster.kill(1)
        produce(cluster.bootstrap, "payments", b"meanwhile")
        cluster.start_node(1)
        produce(cluster.bootstrap, "payments", b"after")

        assert consume(cluster.bootstrap, "payments", 3) == [b"after", b"before", b"meanwhile"]


def test_even_a_frozen_broker_and_its_folder_go_when_its_owner_is_killed(tmp_path: Path) -> None:
    require_kafka()
    script = (
        "import sys, time, pathlib; from tests.kafka.cluster import KafkaCluster\n"
        "cluster = KafkaCluster(pathlib.Path(sys.argv[1]))\n"
        "cluster.start(); cluster.freeze(); print(cluster.pid(), flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    broker = psutil.Process(int(owner.stdout.readline()))

    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    owner.stdout.close()

    broker.wait(10)
    probe.wait_until(lambda: list(tmp_path.iterdir()) == [], 10, "the broker's folder is removed")


def test_closing_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    require_kafka()
    cluster = KafkaCluster(tmp_path)
    cluster.start()
    broker = cluster.pid()
    assert broker is not None

    cluster.close()

    assert not psutil.pid_exists(broker)
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    require_kafka()
    cluster = KafkaCluster(tmp_path, properties={"num.partitions": "none"})

    with pytest.raises(ClusterFailed, match=r"num\.partitions"), cluster:
        pytest.fail("a broker with a wrong property served")
