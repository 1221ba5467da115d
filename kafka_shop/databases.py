"""Which database a service's tables live in, and the few ways in which SQL is run on it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from select import POLLIN, poll
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, models, router, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg import Connection, Cursor
from psycopg.types.array import ListBinaryDumper

COPIED_APPS = {"messaging", "consumers", "api"}  # outbox, positions, dead letters, idempotency keys: a copy in every service's database
LIMITS = "SET LOCAL idle_in_transaction_session_timeout = '8s'; SET LOCAL lock_timeout = '4s'; SET LOCAL statement_timeout = '20s'"

_plans_once: ContextVar[bool] = ContextVar("plans_once", default=False)
_migrated: set[str] = set()  # seen with all its migrations; a process never needs more than it started with


def alias_of(service: str) -> str:
    """The database alias of a service: its own, or the default one."""
    return str(settings.SERVICE_DATABASES[service])


def served_aliases() -> list[str]:
    """The aliases of the services that this process serves, each once."""
    return list(dict.fromkeys(alias_of(service) for service in settings.SERVICES))


def used_aliases() -> list[str]:
    """The aliases that this process works on: the users', and those of its services."""
    return list(dict.fromkeys((DEFAULT_DB_ALIAS, *served_aliases())))


def lacking_apps(alias: str) -> list[str]:
    """The apps whose tables belong in a database and are not all there as this version needs them. Raises database errors.

    Others are not asked for: Django would note their migrations as applied without making a table, and would never make it again.
    """
    executor = MigrationExecutor(connections[alias])
    own = [app for app in sorted(executor.loader.migrated_apps) if router.allow_migrate(alias, app)]
    return [app for app in own if executor.migration_plan(executor.loader.graph.leaf_nodes(app))]


def trouble_of(alias: str) -> str:
    """What keeps a database from being used, in words; "" when nothing does."""
    try:
        rows(alias, "SELECT 1")
        if alias not in _migrated and lacking_apps(alias):
            return f"the database {alias!r} lacks migrations: run `python manage.py migrate_all`"
    except DatabaseError:
        return f"the database {alias!r} cannot be reached"
    _migrated.add(alias)
    return ""


class ServiceRouter:
    """A service's models live in its database, a copy of some in every service's, all else in the default one."""

    def db_for_read(self, model: type[models.Model], **_: Any) -> str | None:
        return settings.SERVICE_DATABASES.get(model._meta.app_label)

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        if app_label in COPIED_APPS:
            return db in settings.SERVICE_DATABASES.values()
        return db == settings.SERVICE_DATABASES.get(app_label, "default")


@contextmanager
def limited_transaction(alias: str) -> Iterator[None]:
    """A transaction whose session ends when it is left idle, and that waits neither for locks nor for statements without end."""
    with transaction.atomic(using=alias):
        run(alias, LIMITS)
        yield


def run(alias: str, sql: str, *params: Any) -> int:
    """Runs one statement and returns the number of rows that it changed."""
    with _executed(alias, sql, params) as cursor:
        return int(cursor.rowcount)


def rows(alias: str, sql: str, *params: Any) -> list[Any]:
    """Runs one statement and returns its rows."""
    with _executed(alias, sql, params) as cursor:
        return cursor.fetchall()


def prepared(alias: str, sql: str, *params: Any) -> list[Any]:
    """Runs one statement and returns its rows, for the few that are asked so often that their plan, made once a connection, is worth it.

    Nothing is asked first of a connection that is silent: a server that has ended it would have said so.
    """
    connection = connections[alias]
    if not connection.in_atomic_block:
        connection.health_check_done = _is_silent(connection.connection)  # type: ignore[attr-defined]  # the stubs leave it out
    with _cursor(alias) as cursor:
        return cursor.execute(sql, params, prepare=True).fetchall()


def _is_silent(connection: "Connection[Any] | None") -> bool:
    """Whether nothing has come over an open connection that waits for nothing."""
    if connection is None or connection.closed:
        return False
    look = poll()
    look.register(connection.fileno(), POLLIN)
    return not look.poll(0)


@contextmanager
def planned_once(yes: bool) -> Iterator[None]:
    """Statements with parameters keep their plan as long as their connection: for a few rows it costs more than the work."""
    before = _plans_once.set(yes)
    try:
        yield
    finally:
        _plans_once.reset(before)


@contextmanager
def _executed(alias: str, sql: str, params: tuple[Any, ...]) -> Iterator[Cursor[Any]]:
    """A cursor behind its statement. Arrays travel in binary, ten times cheaper than as text."""
    with _cursor(alias) as cursor:
        cursor.adapters.register_dumper(list, ListBinaryDumper)
        yield cursor.execute(sql, params or None, prepare=bool(params) and _plans_once.get())


@contextmanager
def _cursor(alias: str) -> Iterator[Cursor[Any]]:
    """psycopg's own cursor on Django's connection: DEBUG logs no copy."""
    connection = connections[alias]
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.connection.prepare_threshold = sys.maxsize  # Django lets nothing be prepared; now what asks for it is
        yield cursor


def columns(records: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows turned into columns, as `unnest` takes them."""
    return [list(column) for column in zip(*records, strict=True)] or [[] for _ in range(width)]
