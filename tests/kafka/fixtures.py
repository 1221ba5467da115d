"""Pytest fixtures over a real Kafka: skipped on a laptop that lacks a part of it, failed where nothing may be skipped."""

import os
from collections.abc import Iterator

import pytest

from tests.kafka.cluster import KafkaCluster
from tests.kafka.installation import PartMissing, ensure_jars


def require_kafka() -> None:
    """Skip the test when this machine cannot run Kafka, saying how to get what it lacks; with CI=true fail instead."""
    try:
        ensure_jars()
    except PartMissing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"real Kafka: {missing}", pytrace=False)
        pytest.skip(f"real Kafka: {missing}")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One running node for the whole session; who stops or wipes it starts it again before the test ends."""
    require_kafka()
    with KafkaCluster(tmp_path_factory.mktemp("kafka")) as cluster:
        yield cluster
