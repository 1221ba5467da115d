"""A shop in each of the ways in which it can be set up."""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from itertools import count
from typing import cast

import psycopg
import pytest
from django.conf import settings as known_settings
from django.contrib.contenttypes.models import ContentType
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from consumers import loop, relay
from kafka_shop.conf import SERVICES
from kafka_shop.local import broker, migrations
from kafka_shop.messaging.http import HttpCarrier
from kafka_shop.messaging.kafka import sending
from orders.services import seed_catalogue
from tests.flows import ways
from tests.flows.shop import Shop, Web
from tests.flows.ways import Way

TOKEN = "between-services"  # not a secret of anybody
numbers = count(1)


@pytest.fixture(params=ways.ALL, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    return cast(Way, request.param)


@pytest.fixture(scope="package")
def embedded_broker() -> Iterator[broker.Cluster]:
    """One for all flows: a new producer waits for its first acknowledgement."""
    sending._producer.cache_clear()  # it knows another test's broker
    yield broker.start([])
    sending._producer.cache_clear()


@pytest.fixture(scope="session")
def databases_apart(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Three migrated databases, each with the tables of those who live in it and no others."""
    with psycopg.connect(host=str(known_settings.VAR_DIR / "postgres"), user="postgres", dbname="postgres", autocommit=True) as server:
        for name in map(ways.database_name, SERVICES):
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name}")
    with django_db_blocker.unblock(), ways.apart():
        migrations.migrate_all()


@pytest.fixture
def databases(way: Way, request: pytest.FixtureRequest) -> Iterator[None]:
    """The databases that the flow runs on."""
    if way.databases == "apart":
        request.getfixturevalue("databases_apart")
    ContentType.objects.clear_cache()  # they have other numbers in other databases
    with ways.apart() if way.databases == "apart" else nullcontext():
        yield
    ContentType.objects.clear_cache()


@pytest.fixture
def transport(way: Way, settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Web]:
    """Topics of the flow's own on the broker; the web in its thread, for HTTP."""
    settings.TRANSPORT, settings.SERVICE_TOKEN = way.transport, TOKEN
    settings.SERVICE_URLS = dict.fromkeys(SERVICES, "http://127.0.0.1")
    web = Web()
    monkeypatch.setattr(relay, "HttpCarrier", partial(HttpCarrier, transport=web))
    if way.transport == "kafka":
        settings.KAFKA_BOOTSTRAP_SERVERS = request.getfixturevalue("embedded_broker").address
        settings.KAFKA_CONFIG = {"fetch.wait.max.ms": 5}  # this broker looks for new messages only when such a time is over
        monkeypatch.setattr(loop, "POLL_SECONDS", 0.02)  # it is waited out when a partition is assigned
        number = next(numbers)
        settings.TOPICS = {name: f"{name}-flow-{number}" for name in settings.TOPICS}
        for topic in settings.TOPICS.values():
            sending.producer().list_topics(topic)  # this broker makes what it is asked for
    yield web
    web.close()


@pytest.fixture
def shop(way: Way, databases: None, committed: None, transport: Web, settings: Settings) -> Iterator[Shop]:
    """A shop without customers; the databases are emptied before they are left."""
    settings.BILLING_MODE, settings.RETRY_BACKOFF_MS = way.billing, (1, 4)
    seed_catalogue()
    shop = Shop(way)
    yield shop
    shop.stop()
