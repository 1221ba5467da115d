"""Database sessions of simulated processes: real ones, that tell the simulation of each statement and commit before they go on."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

import psycopg
from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

LOCK_TIMEOUT = "5ms"  # who holds the lock stands still meanwhile: waiting longer brings nothing
SERVER_OPTIONS = f"-c synchronous_commit=off -c lock_timeout={LOCK_TIMEOUT}"


WRITES = {"WITH", "INSERT", "UPDATE", "DELETE"}  # how a statement begins that may write


class Watcher(Protocol):
    """What a session reports to. Each may raise, or let other processes take turns, before it returns."""

    def connecting(self, session: "Session") -> None: ...
    def executing(self, session: "Session", sql: str) -> None: ...
    def committing(self, session: "Session") -> None: ...
    def committed(self, session: "Session") -> None: ...
    def rolled_back(self, session: "Session") -> None: ...


class Session(DatabaseWrapper):
    """Django's connection of one simulated process."""

    watcher: Watcher | None = None  # none: nobody is told
    commits = 0

    def __init__(self, name: str) -> None:
        default = connections.settings["default"]
        options = default["OPTIONS"] | {"options": SERVER_OPTIONS, "application_name": name}
        super().__init__(default | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False, "OPTIONS": options}, "default")

    @property
    def in_transaction(self) -> bool:
        return bool(self.connection and not self.connection.closed and self.in_atomic_block)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if self.watcher:
            self.watcher.connecting(self)
        return super().get_new_connection(conn_params)

    def end_transaction(self) -> None:
        """What the server does when a process is gone, or was idle in its transaction for too long."""
        if self.connection and not self.connection.closed:
            self.connection.rollback()
        if self.watcher:
            self.watcher.rolled_back(self)

    def lose(self) -> None:
        """The connection breaks. The server has rolled back before anybody else takes a turn."""
        self.end_transaction()
        if self.connection:
            self.connection.close()

    @contextmanager
    def told_commit(self) -> Iterator[None]:
        """What is done within is a commit."""
        if self.watcher:
            self.watcher.committing(self)
        yield
        self.commits += 1
        if self.watcher:
            self.watcher.committed(self)

    def _commit(self) -> None:
        with self.wrap_database_errors, self.told_commit():
            super()._commit()  # type: ignore[misc] # unknown to django-stubs

    def _rollback(self) -> None:
        if self.watcher:
            self.watcher.rolled_back(self)
        super()._rollback()  # type: ignore[misc] # unknown to django-stubs


_execute = psycopg.Cursor.execute


def execute(self: "psycopg.Cursor[Any]", query: Any, *args: Any, **kwargs: Any) -> Any:
    """In the place of psycopg's own: the session at work reports each statement, and the commit of one that writes by itself."""
    session = connections["default"]
    if not (isinstance(session, Session) and session.watcher and session.connection is self.connection):
        return _execute(self, query, *args, **kwargs)
    session.watcher.executing(session, str(query))
    commits = str(query).split(None, 1)[0] in WRITES and session.autocommit
    with session.told_commit() if commits else nullcontext():
        return _execute(self, query, *args, **kwargs)


def observer() -> "psycopg.Connection[Any]":
    """A session that only looks, and that nothing happens to."""
    database = settings.DATABASES["default"]
    return psycopg.connect(
        host=database["HOST"], user=database["USER"], dbname=database["NAME"], autocommit=True, options=SERVER_OPTIONS, prepare_threshold=2
    )
