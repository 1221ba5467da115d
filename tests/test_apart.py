"""Services apart by settings alone: each on a database of its own, and back together."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import demo

USERS, OWN = "postgres://embedded/users", "postgres://embedded/own"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with demo.var_folder() as folder:
        yield folder


def run(folder: Path, *arguments: str, **environment: str) -> str:
    result = demo.command(folder, *arguments, DATABASE_URL=USERS, **environment)
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_a_service_apart_looks_after_its_own_database(folder: Path) -> None:
    alone = {"SERVICES": "billing", "BILLING_DATABASE_URL": OWN, "ORDERS_DATABASE_URL": "postgres://nobody@127.0.0.1:9/nowhere"}

    migrated = run(folder, "migrate_all", **alone)

    assert "Database billing (billing)" in migrated
    assert "Database orders" not in migrated
    assert "ok       database billing" in run(folder, "doctor", **alone)
    assert "3 customers made" in run(folder, "seed", "--customers", "3", "--orders", "3", **alone)
    assert "clean" in run(folder, "audit", **alone)


def test_services_that_were_apart_find_their_tables_when_they_come_together(folder: Path) -> None:
    run(folder, "migrate_all", NOTIFY_DATABASE_URL=OWN)

    run(folder, "migrate_all")

    assert "ok       database default" in run(folder, "doctor")
    assert "clean" in run(folder, "audit")
