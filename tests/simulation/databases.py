"""The databases of a run: one is migrated, each worker gets a copy of it, and all of them go with the run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

from kafka_shop.local import postgres
from kafka_shop.local.migrations import migrate_all
from orders.services import seed_catalogue

APPS = ("orders", "billing", "notify", "messaging", "consumers")
KEPT = {"orders_product"}
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND split_part(tablename, '_', 1) = ANY(%s) ORDER BY 1"
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND split_part(sequencename, '_', 1) = ANY(%s) ORDER BY 1"


def use(name: str) -> None:
    """All connections of this process that are opened from here on are to this database."""
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = connections.settings["default"]["NAME"] = name


@contextmanager
def migrated() -> Iterator[str]:
    """The name of a new database with all tables and a catalogue. It and its copies are removed at the end."""
    postgres.join(settings.VAR_DIR / "postgres")
    name = f"simulation_{os.getpid()}"
    with server() as session:
        session.execute(f"CREATE DATABASE {name}")
        try:
            use(name)
            migrate_all()
            seed_catalogue()
            connections.close_all()
            yield name
        finally:
            connections.close_all()
            for (each,) in session.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name]).fetchall():
                session.execute(f"DROP DATABASE {each} WITH (FORCE)")


def copy(name: str) -> str:
    """The name of this process's own copy of a database that nobody is connected to."""
    postgres.join(settings.VAR_DIR / "postgres")
    own = f"{name}_{os.getpid()}"
    with server() as session:
        session.execute("SELECT pg_advisory_lock(hashtext('simulation'))")  # a template must have no other user
        session.execute(f"CREATE DATABASE {own} TEMPLATE {name}")
    return own


@contextmanager
def server() -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(host=str(settings.VAR_DIR / "postgres"), user=postgres.USER, dbname="postgres", autocommit=True) as session:
        yield session


class Cleaner:
    """Empties the tables between two histories: deletes their rows, and now and then truncates, so that no dead rows pile up."""

    EVERY = 25

    def __init__(self, observer: "psycopg.Connection[Any]") -> None:
        self._observer, self._count = observer, 0
        tables = [name for (name,) in observer.execute(TABLES, [list(APPS)]) if name not in KEPT]
        sequences = [name for (name,) in observer.execute(SEQUENCES, [list(APPS)])]
        observer.execute("SET session_replication_role = replica")  # transfers are immutable for everybody else
        self._delete = "; ".join(
            [*(f"DELETE FROM {name}" for name in tables), *(f"SELECT setval('{name}', 1, false)" for name in sequences)]
        )
        self._truncate = f"TRUNCATE {', '.join(tables)} RESTART IDENTITY"

    def clean(self) -> None:
        self._count += 1
        self._observer.execute(self._truncate if self._count % self.EVERY == 0 else self._delete)
