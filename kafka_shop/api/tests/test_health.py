"""/live and /ready."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from kafka_shop import databases
from kafka_shop.api.tests.people import caller, refused


@pytest.fixture
def nothing_seen_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_migrated", set())


@pytest.fixture
def database_away(committed: None, nothing_seen_yet: None) -> Iterator[None]:
    """The database server is where nothing listens."""
    connection = connections["default"]
    connection.close()
    host, connection.settings_dict["HOST"] = connection.settings_dict["HOST"], "/nowhere"
    yield
    connection.settings_dict["HOST"] = host


def test_a_process_lives_without_a_database(database_away: None) -> None:
    response = Client().get("/live")
    assert (response.status_code, response.json()) == (200, {})


@pytest.mark.django_db
def test_ready_with_every_migration_applied(nothing_seen_yet: None) -> None:
    response = Client().get("/ready")
    assert (response.status_code, response.json()) == (200, {})


@pytest.mark.django_db
def test_the_migrations_are_read_once(nothing_seen_yet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Client().get("/ready")
    monkeypatch.setattr(databases, "lacking_apps", pytest.fail)
    assert Client().get("/ready").status_code == 200


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(nothing_seen_yet: None) -> None:
    MigrationRecorder.Migration.objects.filter(app="users").delete()
    response = Client().get("/ready")
    refused(response, 503)
    assert "migrate_all" in response.json()["detail"]
    assert response["Retry-After"]


def test_not_ready_while_the_database_is_away(database_away: None) -> None:
    response = Client().get("/ready")
    refused(response, 503)
    assert response["Retry-After"]


def test_a_call_while_the_database_is_away_is_503(database_away: None) -> None:
    client = caller()
    client.credentials(HTTP_AUTHORIZATION="Bearer abc")
    response = client.delete("/api/v1/auth/token/")
    refused(response, 503, code="unavailable")
    assert response["Retry-After"]


@pytest.mark.parametrize("path", ["/live", "/ready"])
def test_probes_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405
