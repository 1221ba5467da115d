"""The two brokers that points are tried on: the model, quick and for all of them, and a real Kafka, for those of the client itself."""

from dataclasses import replace
from typing import NamedTuple, Protocol
from uuid import uuid4

from confluent_kafka import Producer
from django.conf import settings

from consumers.routes import ROUTES
from kafka_shop.messaging.kafka import create_topics
from tests.crash import world
from tests.crash.clients import MODELS
from tests.crash.logs import CLUSTER, PARTITIONS, decoded
from tests.kafka import probe

TOPIC_SECONDS = 15.0


class Broker(Protocol):
    """What a process of the shop finds."""

    @property
    def models(self) -> dict[type, type]:
        """What takes the place of the library's clients."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of effects that are points; none: all."""

    @property
    def is_exact(self) -> bool:
        """Whether a process does the same on it in every run."""

    def begin(self, run: str) -> None:
        """Called in the process that forks those of one run, before it does."""

    def enter(self) -> None:
        """Called in each process of the shop, before it does anything."""

    def restore(self, logs: dict[str, bytes]) -> None:
        """Fills the logs; called in the process that is to be stopped."""


class Model(NamedTuple):
    """Logs in files."""

    models: dict[type, type] = MODELS
    kinds: frozenset[str] = frozenset()
    is_exact: bool = True

    def begin(self, run: str) -> None:
        pass

    def enter(self) -> None:
        pass

    def restore(self, logs: dict[str, bytes]) -> None:
        world.logs().restore(logs)


class RealKafka(NamedTuple):
    """Topics of each run's own, and groups of each process's own: nobody waits until a dead member's session is over.

    Taking over in the same group is in tests/acceptance.
    """

    bootstrap: str
    models: dict[type, type] = {}
    kinds: frozenset[str] = frozenset({"kafka"})
    is_exact: bool = False  # a member hears of its partitions sooner or later: a run may have a call more or less

    def begin(self, run: str) -> None:
        settings.TOPICS = {name: f"{name}-{run}-{uuid4().hex[:8]}" for name in settings.TOPICS}

    def enter(self) -> None:
        settings.KAFKA_BOOTSTRAP_SERVERS = self.bootstrap
        for name, route in ROUTES.items():
            ROUTES[name] = replace(route, group=f"{route.group}-{uuid4()}")

    def restore(self, logs: dict[str, bytes]) -> None:
        """Makes the topics, and publishes what lies in the logs of the model."""
        self.enter()
        create_topics(list(settings.TOPICS.values()), partitions=len(PARTITIONS), replication_factor=1)
        probe.wait_until(self._has_topics, TOPIC_SECONDS, "the topics are there")
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for message in (message for name, content in logs.items() if name != CLUSTER for message in decoded(content)):
            producer.produce(settings.TOPICS[message.topic], message.value, message.key, headers=[*message.headers])
        assert producer.flush(TOPIC_SECONDS) == 0

    def _has_topics(self) -> bool:
        found = probe.metadata(self.bootstrap)
        return found is not None and set(settings.TOPICS.values()) <= found.topics.keys()
