"""A second session on the test database, to look at what a first one does."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from django.db import connection, connections

T = TypeVar("T")


@contextmanager
def second_session() -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """A connection of its own, in a transaction that is rolled back at the end."""
    own = psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": psycopg.Cursor, "context": None})
    try:
        yield own
    finally:
        if not own.closed:
            own.rollback()
            own.close()


def in_own_session(work: Callable[[], T]) -> Callable[[], T]:
    """The work with a database session of its own that ends with it: for a thread."""

    def guarded() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return guarded


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """The first true answer of `condition`; fails when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"in vain for {seconds} s: {condition}"
        time.sleep(0.01)
    return answer


def somebody_waits_for_a_lock() -> bool:
    """Whether a session waits for a lock; unlike pg_stat_activity, pg_locks is not a snapshot inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
