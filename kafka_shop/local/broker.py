"""The embedded broker: librdkafka's own mock cluster, inside the confluent-kafka wheel.

It speaks the real protocol and keeps at most 5 MB a partition, in memory. Its C interface (`rdkafka_mock.h`) gives topics with a
chosen number of partitions and groups without a rebalance delay; where the wheel does not export it, the property
`test.mock.num.brokers` gives a cluster with the library's own choices.
"""

import ctypes
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import confluent_kafka

PARTITIONS = 2
PRODUCER = 0  # RD_KAFKA_PRODUCER: the client that the cluster lives in
SILENT = {"log_level": "0"}


class Running(NamedTuple):
    """A broker that serves: its address, and the process that it lives in."""

    address: str
    pid: int


class BrokerRuns(Exception):
    """There is a broker already: two would share one file."""


class Cluster(Protocol):
    """A mock cluster; it serves as long as this object lives."""

    address: str


class NativeCluster:
    """A mock cluster by librdkafka's C interface. Raises OSError or AttributeError where the library does not give it."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._library = _library()
        client = self._library.rd_kafka_new(PRODUCER, self._configuration(), None, 0)
        self._cluster = self._library.rd_kafka_mock_cluster_new(client, 1)
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        for topic in topics:
            self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), PARTITIONS, 1)
        self.address = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def _configuration(self) -> int:
        configuration: int = self._library.rd_kafka_conf_new()
        for name, value in SILENT.items():
            self._library.rd_kafka_conf_set(configuration, name.encode(), value.encode(), None, 0)
        return configuration


class PlainCluster:
    """A mock cluster by the client's property: four partitions a topic, made when a producer asks for it."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._client = confluent_kafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
        broker = next(iter(self._client.list_topics(timeout=5).brokers.values()))
        for topic in topics:
            self._client.list_topics(topic, timeout=5)
        self.address = f"{broker.host}:{broker.port}"


def start(topics: Sequence[str]) -> Cluster:
    """Starts a broker in this process."""
    try:
        return NativeCluster(topics)
    except (OSError, AttributeError):
        return PlainCluster(topics)


def running(file: Path) -> Running | None:
    """The broker that `file` names, unless its process is gone or nothing listens there any more."""
    try:
        address, pid = file.read_text().split()
        os.kill(int(pid), 0)
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=1).close()
    except (OSError, ValueError):
        return None
    return Running(address, int(pid))


@contextmanager
def announced(address: str, file: Path) -> Iterator[None]:
    """Names the broker of this process in `file`, whole or not at all, as long as the block runs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    written = file.with_name(f"{file.name}.{os.getpid()}")
    written.write_text(f"{address} {os.getpid()}\n")
    written.rename(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def refuse_second(file: Path) -> None:
    """Raises BrokerRuns when `file` names a broker that runs."""
    known = running(file)
    if known:
        raise BrokerRuns(f"an embedded broker runs already at {known.address} (process {known.pid}): stop it first, or set another VAR_DIR")


def _library() -> ctypes.CDLL:
    """librdkafka as the wheel brings it, with the types of the functions that are called."""
    package = Path(confluent_kafka.__file__).parent
    files = [*package.parent.glob("confluent_kafka.libs/librdkafka*"), *package.glob(".dylibs/librdkafka*")]
    if not files:
        raise OSError("the wheel brings no library of its own")
    library = ctypes.CDLL(str(files[0]))
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    signatures: dict[str, tuple[object, list[object]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (ctypes.c_int, [pointer, text, text, text, size]),
        "rd_kafka_new": (pointer, [ctypes.c_int, pointer, text, size]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, ctypes.c_int]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_topic_create": (ctypes.c_int, [pointer, text, ctypes.c_int, ctypes.c_int]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
