"""Plants the points in a process, from outside of the product: in psycopg, and in the Kafka clients as they are made."""

import re
from collections.abc import Callable, Generator, Mapping
from functools import wraps
from typing import Any

from psycopg import sql
from psycopg._connection_base import BaseConnection
from psycopg._cursor_base import BaseCursor

from kafka_shop.messaging.kafka import inspector, sending, subscription
from kafka_shop.messaging.kafka.client import open_client
from tests.crash.points import Points

CLIENT_EFFECTS = ("produce", "subscribe", "incremental_assign", "incremental_unassign", "seek", "commit", "unsubscribe", "close")
SAVEPOINT = re.compile(r'"?s\d+_x(\d+)"?')  # its name has the thread's number in it

Replacements = Mapping[type, type]  # of a client's class, by a model of it


def plant_in_psycopg(points: Points) -> None:
    """Every statement: those of cursors, and BEGIN, COMMIT and ROLLBACK, which psycopg sends by itself."""
    start_query, exec_command, send_prepare = BaseCursor._start_query, BaseConnection._exec_command, BaseCursor._send_prepare
    send_prepared = BaseCursor._send_query_prepared

    def started(self: Any, query: Any = None) -> Generator[Any, Any, None]:
        yield from start_query(self, query)  # here psycopg begins a transaction
        points.reach("sql", text(query))

    def commanded(self: Any, command: Any, *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        points.reach("sql", text(command))
        return (yield from exec_command(self, command, *args, **kwargs))

    def prepared(self: Any, name: bytes, query: Any) -> None:
        points.reach("sql", "PREPARE")
        send_prepare(self, name, query)

    def executed(self: Any, *args: Any, **kwargs: Any) -> None:
        points.reach("sql", "EXECUTE")
        send_prepared(self, *args, **kwargs)

    for owner, name, spy in (
        (BaseCursor, "_start_query", started),
        (BaseConnection, "_exec_command", commanded),
        (BaseCursor, "_send_prepare", prepared),
        (BaseCursor, "_send_query_prepared", executed),
    ):
        setattr(owner, name, spy)


def text(query: Any) -> str:
    """A statement as it is written in the code, with the names of savepoints numbered."""
    if isinstance(query, sql.Composable):
        query = query.as_string(None)
    return SAVEPOINT.sub(r"s\1", query.decode() if isinstance(query, bytes) else str(query))


def plant_in_kafka(points: Points | None, models: Replacements) -> None:
    """Every call of a client that has an effect, and each acknowledgement. `models` take the place of real clients."""

    def opener(kind: type, config: Mapping[str, Any]) -> Any:
        chosen = models.get(kind, kind)
        return open_client(spied(chosen, points) if points else chosen, config)

    for module in (sending, inspector, subscription):
        module.open_client = opener  # type: ignore[attr-defined]  # it is imported there by its name


def spied(kind: type, points: Points) -> type:
    """A client's class, whose effects are points. The library hands the same object to its callbacks."""
    spies = {name: spy(getattr(kind, name), name, points) for name in CLIENT_EFFECTS if hasattr(kind, name)}
    return type(kind.__name__, (kind,), spies)


def spy(method: Callable[..., Any], name: str, points: Points) -> Callable[..., Any]:
    @wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        points.reach("kafka", name)
        if "on_delivery" in kwargs:
            kwargs["on_delivery"] = acknowledged(kwargs["on_delivery"], points)
        return method(self, *args, **kwargs)

    return called


def acknowledged(answer: Callable[..., None], points: Points) -> Callable[..., None]:
    def called(*args: Any) -> None:
        points.reach("kafka", "acknowledgement")
        answer(*args)

    return called
