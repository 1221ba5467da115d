"""Fixtures of the engine's tests."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from consumers import logs, loop, membership
from consumers.routes import ROUTES, Route
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.stubs import CONSUMER, TOPIC, Doors
from kafka_shop.databases import run
from tests.embedded import embedded_broker as embedded_broker
from tests.embedded import embedded_cluster as embedded_cluster

CREATE = "CREATE TABLE effects (event_id text NOT NULL, read_at text, place bigserial)"


@pytest.fixture
def effects_table(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that stub handlers write their effects to, a row a call and event."""
    run("default", CREATE)
    monkeypatch.setattr(loop, "close_old_connections", lambda: None)  # it would end the transaction that the test runs in


@pytest.fixture
def committed_effects_table(committed: None) -> Iterator[None]:
    """The same for tests whose transactions are real ones."""
    run("default", CREATE)
    yield
    run("default", "DROP TABLE effects")


@pytest.fixture
def doors() -> Doors:
    """The handlers of the stub events."""
    return Doors()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, settings: Settings, doors: Doors) -> MemoryBroker:
    """A broker in memory in the place of the Kafka client, with one partition; the consumer `billing` reads the stub events from it."""
    broker = MemoryBroker()
    monkeypatch.setattr(membership, "Subscription", broker.subscription)
    monkeypatch.setattr(logs, "Inspector", broker.inspector)
    monkeypatch.setattr(logs, "log_identity", broker.identity)
    monkeypatch.setitem(ROUTES, CONSUMER, Route("shop.billing", TOPIC, doors.handlers))
    settings.RETRY_BACKOFF_MS = (1, 4)
    return broker
