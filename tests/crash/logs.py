"""Logs in files, which outlive the processes that write them: what a model of the broker keeps."""

import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from confluent_kafka import KafkaError
from django.conf import settings

PARTITIONS = range(2)
CLUSTER = "cluster"
# A file of such a name holds what a message must contain for this answer of the broker.
ANSWERS = {"too-large": KafkaError.MSG_SIZE_TOO_LARGE, "timed-out": KafkaError._MSG_TIMED_OUT}


class Stored(msgspec.Struct, frozen=True):
    """A message as it lies in a log."""

    topic: str
    partition: int
    offset: int
    time_ms: int
    key: bytes | None
    headers: list[tuple[str, bytes]]
    value: bytes


def decoded(content: bytes) -> list[Stored]:
    """The messages in a log's file."""
    return [msgspec.json.decode(line, type=Stored) for line in content.splitlines()]


class Logs:
    """The logs in a folder: a file a partition, a line a message."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def cluster(self) -> str:
        return (self.folder / CLUSTER).read_text()

    def begin(self, cluster: str) -> None:
        """Empty logs in a new cluster: what a broker comes back with that has lost its disks."""
        self.restore({CLUSTER: cluster.encode()})

    def read(self, topic: str, partition: int) -> list[Stored]:
        file = self._file(topic, partition)
        return decoded(file.read_bytes()) if file.exists() else []

    def append(self, topic: str, key: str, headers: Iterable[tuple[str, bytes]], value: bytes) -> None:
        partition = zlib.crc32(key.encode()) % len(PARTITIONS)
        offset = len(self.read(topic, partition))
        message = Stored(topic, partition, offset, int(time.time() * 1000), key.encode(), list(headers), value)
        with self._file(topic, partition).open("ab") as file:
            file.write(msgspec.json.encode(message) + b"\n")

    def answer_badly(self, answer: str, to: str) -> None:
        """Messages that contain `to` are answered so, until `answer_well`."""
        (self.folder / answer).write_text(to)

    def answer_well(self, answer: str) -> None:
        (self.folder / answer).unlink(missing_ok=True)

    def answer(self, value: bytes) -> int | None:
        """The error code with which a message is answered, None when all is well."""
        files = {self.folder / name: code for name, code in ANSWERS.items()}
        return next((code for file, code in files.items() if file.exists() and file.read_bytes() in value), None)

    def save(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.folder.iterdir()}

    def restore(self, saved: dict[str, bytes]) -> None:
        for file in self.folder.iterdir():
            file.unlink()
        for name, content in saved.items():
            (self.folder / name).write_bytes(content)

    def metadata(self) -> Any:
        """What clients learn of the cluster, as their library says it."""
        topic = SimpleNamespace(error=None, partitions=dict.fromkeys(PARTITIONS))
        return SimpleNamespace(cluster_id=self.cluster, topics=dict.fromkeys(settings.TOPICS.values(), topic))

    def _file(self, topic: str, partition: int) -> Path:
        return self.folder / f"{topic}-{partition}"
