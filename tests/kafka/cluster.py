"""A Kafka cluster of one or more nodes on this machine, that a test can stop, kill, freeze and rob of its disks."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka.cimpl import NewTopic

from tests.kafka import prepared, probe
from tests.kafka.guardian import Guardian
from tests.kafka.node import Door, Node, random_id
from tests.kafka.ports import free_ports

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
TOPIC_SECONDS = 15.0


class ClusterFailed(RuntimeError):
    """The nodes did not come to serve; the message has what they said last."""


class KafkaCluster:
    """Brokers under `folder`; their ports are chosen here and stay the same. Nodes are numbered from 1.

    Made for short tests: short session time-outs, no rebalance delay, topics only by `create_topic`. `properties` are further
    broker properties, which win; `doors` are ways in through a proxy, by node. As a context manager it starts the nodes and in the
    end kills them and removes their folders, which also happens when this process is killed.
    """

    def __init__(
        self, folder: Path, nodes: int = 1, properties: Mapping[str, str] | None = None, doors: Mapping[int, Door] | None = None
    ) -> None:
        ports, behind = free_ports(2 * nodes), doors or {}
        self._nodes = {n: Node(folder / f"node-{n}", n, ports[2 * n - 2], ports[2 * n - 1], behind.get(n)) for n in range(1, nodes + 1)}
        self._properties = dict(properties or {})
        self._guardian: Guardian | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def bootstrap(self) -> str:
        """The addresses of all nodes, as clients want them."""
        return ",".join(node.address for node in self._nodes.values())

    @property
    def cluster_id(self) -> str:
        """The id that the running cluster tells its clients; a new one after `wipe`."""
        found = probe.metadata(self.bootstrap)
        if found is None or found.cluster_id is None:
            raise TimeoutError(f"no broker answers at {self.bootstrap}")
        return found.cluster_id

    def pid(self, node: int = 1) -> int | None:
        """The process id of a node, None when it does not run."""
        return self._nodes[node].pid

    def start(self) -> None:
        """Start the nodes that do not run, on disks made new the first time, and wait until the cluster serves.

        Raises PartMissing without Java or Maven, ClusterFailed with the brokers' last words.
        """
        if self._guardian is None:
            self._guardian = Guardian(node.folder for node in self._nodes.values())
            self._format()
        for node in self._nodes.values():
            self._launch(node)
        self._wait_until_serving()

    def stop(self) -> None:
        """Stop every node in good order; the disks stay."""
        for node in self._nodes.values():
            node.send(signal.SIGCONT)
            node.send(signal.SIGTERM)
        for node in self._nodes.values():
            node.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Stop and start every node on the same disks and ports."""
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Start again with empty disks and a new cluster id, as after the loss of every disk."""
        self.stop()
        self._format()
        self.start()

    def close(self) -> None:
        """Kill what runs and remove the nodes' folders."""
        for number in self._nodes:
            self.kill(number)
        if self._guardian is not None:
            self._guardian.release()
            self._guardian = None

    def kill(self, node: int = 1) -> None:
        """End a node with SIGKILL, as a power cut does."""
        self._end(node, signal.SIGKILL)

    def terminate(self, node: int = 1) -> None:
        """End a node with SIGTERM: it hands its partitions over first."""
        self._end(node, signal.SIGTERM)

    def start_node(self, node: int = 1) -> None:
        """Start a node again and wait until its replicas are in sync; the running nodes must be a majority."""
        self._launch(self._nodes[node])
        self._wait_until_serving()

    def cut(self, topic: str, node: int = 1) -> None:
        """Rob a node that was killed of the second half of each of a topic's logs, as a disk or a leader that was behind does."""
        for log in (self._nodes[node].folder / "data").glob(f"{topic}-[0-9]*/*.log"):
            os.truncate(log, log.stat().st_size // 2)

    def freeze(self, node: int = 1) -> None:
        """Hold a node with SIGSTOP: its connections stay open, and nothing answers."""
        self._nodes[node].send(signal.SIGSTOP)

    def thaw(self, node: int = 1) -> None:
        """Let a frozen node go on."""
        self._nodes[node].send(signal.SIGCONT)

    def create_topic(self, name: str, partitions: int = 1, replication: int | None = None) -> None:
        """Create a topic and wait until every running node serves it; replicated to all nodes, at most 3, unless told.

        Raises KafkaException when it exists.
        """
        replicas = replication or min(3, len(self._nodes))
        topic = NewTopic(name, num_partitions=partitions, replication_factor=replicas)
        admin = probe.admin(self.bootstrap)
        admin.create_topics([topic])[name].result(TOPIC_SECONDS)
        self._wait_for_topic(name, partitions)

    def delete_topic(self, name: str) -> None:
        """Delete a topic and wait until no running node knows it. Raises KafkaException when there is none."""
        admin = probe.admin(self.bootstrap)
        admin.delete_topics([name])[name].result(TOPIC_SECONDS)
        self._wait_for_topic(name, 0)

    def _running(self) -> dict[int, str]:
        return {n: node.address for n, node in self._nodes.items() if node.pid is not None and not node.frozen}

    def _format(self) -> None:
        voters = ",".join(node.voter for node in self._nodes.values())
        cluster_id = random_id()
        for node in self._nodes.values():
            node.configure(voters, self._properties)
            node.format(prepared.checkpoint(), cluster_id)

    def _launch(self, node: Node) -> None:
        if node.pid is None:
            node.start([f"-XX:SharedArchiveFile={prepared.class_archive()}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"])
            self._report()

    def _end(self, number: int, signal_number: signal.Signals) -> None:
        node = self._nodes[number]
        node.send(signal_number)
        node.wait(STOP_SECONDS)
        self._report()

    def _report(self) -> None:
        if self._guardian is not None:
            self._guardian.watch(node.pid for node in self._nodes.values() if node.pid is not None)

    def _wait_until_serving(self) -> None:
        started = self._running()

        def serves_or_ended() -> bool:
            return self._running() != started or probe.serves(started)

        try:
            probe.wait_until(serves_or_ended, READY_SECONDS, f"{self.bootstrap} serves")
        except TimeoutError as error:
            raise ClusterFailed(f"{error}\n{self._last_words()}") from None
        if self._running() != started:
            raise ClusterFailed(f"a node ended while it started\n{self._last_words()}")

    def _last_words(self) -> str:
        return "\n".join(f"node {n}: {node.last_words()}" for n, node in self._nodes.items())

    def _wait_for_topic(self, name: str, partitions: int) -> None:
        running = self._running()

        def agreed() -> bool:
            seen = [probe.metadata(address) for address in running.values()]
            counts = [len(m.topics[name].partitions) if m and name in m.topics else 0 for m in seen]
            return set(counts) == {partitions} and all(probe.in_sync(address, running) for address in running.values())

        probe.wait_until(agreed, TOPIC_SECONDS, f"topic {name} with {partitions} partitions on every node")
