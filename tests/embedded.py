"""The embedded broker in the tests' own process, for what needs a broker but not a whole Kafka."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from kafka_shop.local import broker
from kafka_shop.messaging.kafka import sending

TOPICS = ["order-topic", "billing-topic", "notify-topic", "room-topic", "range-topic"]


@pytest.fixture(scope="session")
def embedded_cluster() -> broker.Cluster:
    return broker.start(TOPICS)


@pytest.fixture
def embedded_broker(embedded_cluster: broker.Cluster, settings: Settings) -> Iterator[str]:
    """The address of a broker that all clients of this test use."""
    settings.KAFKA_BOOTSTRAP_SERVERS = embedded_cluster.address
    sending._producer.cache_clear()
    yield embedded_cluster.address
    sending._producer.cache_clear()
