"""Questions to a running cluster. Every question has a client of its own: one that lived through a restart may stay deaf."""

import time
from collections.abc import Callable, Collection, Mapping

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import ClusterMetadata

CLIENT = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 200, "log_level": 0}
ANSWER_SECONDS = 1.0
PAUSE_SECONDS = 0.02


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until the condition holds; raises TimeoutError with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(PAUSE_SECONDS)


def serves(nodes: Mapping[int, str]) -> bool:
    """Tell whether the nodes (number: address) do all their work: all in sync, groups coordinated, producer ids drawn."""
    bootstrap = ",".join(nodes.values())
    return (
        _all_in_sync(nodes)
        and coordinates_groups(bootstrap)
        and gives_producer_ids(bootstrap)
        and _all_in_sync(nodes)  # the two questions before made topics of their own
    )


def admin(bootstrap: str) -> AdminClient:
    """Return a new admin client."""
    return AdminClient({"bootstrap.servers": bootstrap, **CLIENT})


def metadata(bootstrap: str) -> ClusterMetadata | None:
    """Return what the cluster says of itself, None when it does not answer."""
    try:
        return admin(bootstrap).list_topics(timeout=ANSWER_SECONDS)
    except KafkaException:
        return None


def in_sync(address: str, nodes: Collection[int]) -> bool:
    """Tell whether the broker at `address` knows all `nodes` and every partition's replicas on them are in sync."""
    cluster = metadata(address)
    if cluster is None or not set(nodes) <= set(cluster.brokers):
        return False
    partitions = [partition for topic in cluster.topics.values() for partition in topic.partitions.values()]
    return all(p.leader in nodes and set(p.replicas) & set(nodes) <= set(p.isrs) for p in partitions)


def _all_in_sync(nodes: Mapping[int, str]) -> bool:
    return all(in_sync(address, nodes) for address in nodes.values())


def coordinates_groups(bootstrap: str) -> bool:
    """Tell whether the coordinator of consumer groups works; the first question makes its topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "readiness", **CLIENT})
    try:
        consumer.committed([TopicPartition("readiness", 0)], timeout=ANSWER_SECONDS)
    except KafkaException:
        return False
    finally:
        consumer.close()
    return True


def gives_producer_ids(bootstrap: str) -> bool:
    """Tell whether a producer id can be drawn; the first one of a cluster takes a second that no test should pay."""
    try:
        Producer({"bootstrap.servers": bootstrap, "transactional.id": "readiness", **CLIENT}).init_transactions(ANSWER_SECONDS)
    except KafkaException:
        return False
    return True
