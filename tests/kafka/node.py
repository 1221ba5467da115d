"""One Kafka node, broker and controller in one JVM: its properties, its disk, its process."""

import secrets
import shutil
import signal
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.kafka.installation import java_command

JVM_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
QUICK = {
    "auto.create.topics.enable": "false",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "controlled.shutdown.enable": "true",
    "controller.quorum.election.timeout.ms": "500",
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "3000",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.num.partitions": "1",
}


class Door(NamedTuple):
    """A second way in: the port where the broker listens, and the one of a proxy before it, which clients that come this way are told."""

    port: int
    proxy_port: int


class Node:
    """A broker with its folder and its ports, which stay the same over restarts."""

    def __init__(self, folder: Path, number: int, port: int, controller_port: int, door: Door | None = None) -> None:
        self.folder = folder
        self.number = number
        self.address = f"127.0.0.1:{port}"
        self.voter = f"{number}@127.0.0.1:{controller_port}"
        self.frozen = False
        self._listeners = f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller_port}"
        self._door = door
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the running JVM, None when there is none."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    def configure(self, voters: str, properties: Mapping[str, str]) -> None:
        """Write server.properties; `properties` win over the settings for quick tests."""
        fixed = {
            "process.roles": "broker,controller",
            "node.id": str(self.number),
            "listeners": self._listeners,
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": voters,
            "log.dirs": str(self.folder / "data"),
            **(self._through(self._door) if self._door else {}),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{name}={value}\n" for name, value in {**QUICK, **_replication(voters), **properties, **fixed}.items()]
        (self.folder / "server.properties").write_text("".join(lines))

    def _through(self, door: Door) -> dict[str, str]:
        return {
            "listeners": f"{self._listeners},DOOR://127.0.0.1:{door.port}",
            "advertised.listeners": f"PLAINTEXT://{self.address},DOOR://127.0.0.1:{door.proxy_port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DOOR:PLAINTEXT",
        }

    def format(self, checkpoint: Path, cluster_id: str) -> None:
        """Make the disk new and empty, as `kafka-storage format` does.

        The checkpoint, which names the features of the cluster, must be the same on every node, or KIP-848 groups do not work.
        """
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        metadata = data / "__cluster_metadata-0"
        metadata.mkdir(parents=True)
        shutil.copyfile(checkpoint, metadata / "00000000000000000000-0000000000.checkpoint")
        identity = {"version": "1", "cluster.id": cluster_id, "node.id": str(self.number), "directory.id": random_id()}
        (data / "meta.properties").write_text("".join(f"{name}={value}\n" for name, value in identity.items()))

    def start(self, jvm_options: Iterable[str]) -> None:
        """Start the JVM in a session of its own, so that Ctrl-C in a test run does not reach it first."""
        command = java_command("kafka.Kafka", str(self.folder / "server.properties"), options=[*JVM_OPTIONS, *jvm_options])
        with (self.folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the node does not run."""
        if self._process is not None:
            self._process.send_signal(number)
            self.frozen = number == signal.SIGSTOP

    def wait(self, seconds: float) -> None:
        """Wait until the process is gone; after `seconds` it is killed."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self._process.wait()

    def last_words(self) -> str:
        """Return the end of the node's log without its stack traces."""
        log = self.folder / "broker.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join([line for line in lines if not line.startswith("\tat ")][-5:])


def _replication(voters: str) -> dict[str, str]:
    replicas = min(3, voters.count("@"))
    in_sync = str(min(2, replicas))
    return {
        "default.replication.factor": str(replicas),
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": str(replicas),
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": str(replicas),
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.replication.factor": str(replicas),
    }


def random_id() -> str:
    """Return a UUID as Kafka writes it: 16 bytes in URL-safe base64 without padding, never with a leading dash."""
    return urlsafe_b64encode(b"\1" + secrets.token_bytes(15)).decode().rstrip("=")
