"""Fixtures of the acceptance tests: a migrated template database, and a shop with a copy of it."""

from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from kafka_shop.local import migrations, postgres
from tests.acceptance.shop import Shop
from tests.kafka.cluster import KafkaCluster
from tests.kafka.guardian import Guardian

TEMPLATE = "acceptance"
numbers = count(1)


def execute(sql: str) -> None:
    """Runs SQL on the tests' PostgreSQL, outside of every database of a shop."""
    with psycopg.connect(host=str(settings.VAR_DIR / "postgres"), user="postgres", dbname="postgres", autocommit=True) as server:
        server.execute(sql)


def stand_on(database: str) -> str:
    """Connects this process's Django to another database; returns the one before."""
    connection.close()
    before, connection.settings_dict["NAME"] = str(connection.settings_dict["NAME"]), database
    return before


@pytest.fixture(scope="session")
def template(django_db_blocker: DjangoDbBlocker) -> str:
    """The name of a migrated, empty database: a copy of it is made in no time."""
    postgres.join(settings.VAR_DIR / "postgres")
    execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
    execute(f"CREATE DATABASE {TEMPLATE}")
    with django_db_blocker.unblock():
        before = stand_on(TEMPLATE)
        migrations.migrate_all()
        stand_on(before)
    return TEMPLATE


@pytest.fixture(scope="session")
def guardian() -> Iterator[Guardian]:
    """Ends the shops' processes when the test process is killed."""
    guardian = Guardian([])
    yield guardian
    guardian.release()


@pytest.fixture
def database(template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A copy of the template, on which this process stands."""
    name = f"{template}_{next(numbers)}"
    execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    with django_db_blocker.unblock():
        before = stand_on(name)
        try:
            yield name
        finally:
            stand_on(before)
            execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def shop(kafka: KafkaCluster, database: str, guardian: Guardian, tmp_path: Path, settings: Settings) -> Iterator[Shop]:
    """A shop without orders; its processes are started by the test and gone at its end."""
    settings.KAFKA_BOOTSTRAP_SERVERS = kafka.bootstrap
    shop = Shop(kafka, database, tmp_path, guardian)
    settings.TOPICS = shop.topics
    try:
        yield shop
    finally:
        for worker in shop.workers:
            worker.kill()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the shop's processes wrote, below a test that fails."""
    report = yield
    shop = item.funcargs.get("shop")
    if report.failed and isinstance(shop, Shop):
        report.sections.extend((worker.log.name, "\n".join(worker.last_words())) for worker in shop.workers)
    return report
