"""Fixtures of all tests: a real PostgreSQL, and data that other connections can see."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import setup_databases, teardown_databases
from hypothesis import settings as hypothesis_settings
from pytest_django.plugin import DjangoDbBlocker

from kafka_shop.local import postgres

hypothesis_settings.register_profile("shop", deadline=None, database=None)  # shared cores are no stopwatch, runs leave no files
hypothesis_settings.load_profile("shop")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Fresh test databases on the tests' own PostgreSQL; pytest-django's would make none when all tests of a run use `committed`."""
    postgres.join(settings.VAR_DIR / "postgres")
    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(databases, verbosity=0)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A test whose transactions are real ones, seen by other connections; what it wrote is removed at its end."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            for alias in settings.DATABASES:
                empty(alias)
            connections.close_all()


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every SQL statement that is executed from here on, whoever executes it."""
    executed: list[str] = []
    original = psycopg.Cursor.execute

    def execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        executed.append(str(query))
        return original(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", execute)
    return executed


def empty(alias: str) -> None:
    """Removes all rows, those included that triggers keep immutable."""
    tables = [
        name
        for name in connections[alias].introspection.table_names()
        if name not in {"django_migrations", "django_content_type", "auth_permission"}
    ]
    with connections[alias].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in tables) + " RESTART IDENTITY CASCADE")
        cursor.execute("SET session_replication_role = origin")
