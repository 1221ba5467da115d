"""Waiting until somebody else has migrated."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from kafka_shop import databases
from kafka_shop.local import migrations


@pytest.fixture(autouse=True)
def nothing_seen_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_migrated", set())


@pytest.mark.usefixtures("committed")
def test_who_waits_goes_on_when_the_tables_are_there() -> None:
    assert migrations.wait_until_migrated(seconds=0) == ""


@pytest.mark.usefixtures("committed")
def test_waiting_makes_no_table_and_ends_with_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    migrated: list[str] = []
    monkeypatch.setattr(databases, "lacking_apps", lambda alias: ["orders"])
    monkeypatch.setattr(migrations, "migrate_all", migrated.append)

    with pytest.raises(CommandError, match=r"after 0 s the database 'default' lacks migrations: run `python manage.py migrate_all`"):
        call_command("migrate_all", "--wait", "0", verbosity=0)

    assert migrated == []


@pytest.mark.usefixtures("committed")
def test_a_database_that_is_still_starting_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    starting = [OperationalError("the database system is starting up")]

    def lacking(alias: str) -> list[str]:
        if starting:
            raise starting.pop()
        return []

    monkeypatch.setattr(migrations, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(databases, "lacking_apps", lacking)

    assert migrations.wait_until_migrated(seconds=10) == ""
