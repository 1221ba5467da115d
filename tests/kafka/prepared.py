"""What is made once with Kafka's own tools and kept beside the jars, so that a node starts in two seconds instead of five."""

import signal
import subprocess
from pathlib import Path

from tests.kafka import probe
from tests.kafka.installation import ensure_jars, java_command, once
from tests.kafka.node import Node, random_id
from tests.kafka.ports import free_ports


def checkpoint() -> Path:
    """Return the metadata checkpoint of a formatted disk: the cluster's features, the same for every node and cluster."""
    ensure_jars()
    return once("bootstrap.checkpoint", _format)


def class_archive() -> Path:
    """Return the class-data archive of a broker that started, answered and stopped (JEP 350)."""
    first = checkpoint()
    return once("classes.jsa", lambda path: _train(path, first))


def _format(made: Path) -> None:
    node = _lone_node(made.parent)
    arguments = ["format", "-t", random_id(), "-c", str(node.folder / "server.properties")]
    subprocess.run(java_command("kafka.tools.StorageTool", *arguments), check=True, capture_output=True)
    next((node.folder / "data").glob("__cluster_metadata-0/*.checkpoint")).rename(made)


def _train(made: Path, first: Path) -> None:
    node = _lone_node(made.parent)
    node.format(first, random_id())
    node.start([f"-XX:ArchiveClassesAtExit={made}"])
    try:
        probe.wait_until(lambda: probe.serves({1: node.address}), 60, "Kafka's first start")
        node.send(signal.SIGTERM)
        node.wait(60)
    finally:
        node.send(signal.SIGKILL)
        node.wait(10)


def _lone_node(folder: Path) -> Node:
    port, controller_port = free_ports(2)
    node = Node(folder / "node", 1, port, controller_port)
    node.configure(node.voter, {})
    return node
