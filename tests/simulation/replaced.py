"""The simulation in the place of time, chance, the Kafka client and the database session: patches from outside, for one history."""

import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import Thread
from types import ModuleType
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import psycopg
from django.db import connections
from django.utils import timezone

from kafka_shop import databases, ids
from kafka_shop.messaging.kafka import Inspector, Subscription, log_identity, send
from tests.simulation.clock import Clock, Dice
from tests.simulation.cluster import Cluster
from tests.simulation.sessions import LOCK_TIMEOUT, execute

PRODUCT = ("kafka_shop.messaging", "orders", "billing", "notify", "consumers")
CLIENT = ("kafka_shop.messaging.kafka.",)  # the real client is left alone


class Inline(Thread):
    """A thread that has done its work when it has started."""

    def start(self) -> None:
        self.run()

    def join(self, timeout: float | None = None) -> None:
        """It is over."""


class Scribe:
    """Stands for a log: what the product says becomes a line of the trace."""

    def __init__(self, say: Any) -> None:
        self._say = say

    def info(self, event: str, **details: object) -> None:
        self._say(f"says: {event} " + " ".join(f"{name}={value}" for name, value in details.items() if name != "consumer"))

    warning = error = info


@contextmanager
def replaced(clock: Clock, dice: Dice, cluster: Cluster, say: Any) -> Iterator[None]:
    """In each of the product's modules, whatever it has imported of these."""
    doubles: dict[int, object] = {
        id(time): clock,
        id(timezone): clock,
        id(random): dice,
        id(uuid4): dice.uuid4,
        id(Thread): Inline,
        id(Inspector): cluster.inspector,
        id(Subscription): cluster.subscription,
        id(log_identity): cluster.log_identity,
        id(send): cluster.send,
    }
    scribe = Scribe(say)
    with ExitStack() as stack:
        for module, name, value in imports():
            double = scribe if is_log(value) else doubles.get(id(value))
            if double is not None:
                stack.enter_context(patch.object(module, name, double))
        stack.enter_context(patch.object(ids, "_uuid7", dice.uuid7))
        stack.enter_context(patch.object(ids, "uuid_utils", dice))
        stack.enter_context(patch.object(databases, "LIMITS", f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        stack.enter_context(patch.object(psycopg.Cursor, "execute", execute))
        yield


@cache
def imports() -> list[tuple[ModuleType, str, object]]:
    """The names in the product's modules that may have to be replaced, as they are without a simulation."""
    real = (time, timezone, random, uuid4, Thread, Inspector, Subscription, log_identity, send)
    names = [name for name in sys.modules if name.startswith(PRODUCT) and ".tests" not in name and not name.startswith(CLIENT)]
    found = [(sys.modules[module], name, value) for module in sorted(names) for name, value in vars(sys.modules[module]).items()]
    return [(module, name, value) for module, name, value in found if is_log(value) or any(value is each for each in real)]


def is_log(value: object) -> bool:
    return type(value).__module__.startswith("structlog")


@contextmanager
def at_work(session: Any) -> Iterator[None]:
    """All that asks for the database gets this session."""
    before = connections["default"]
    connections["default"] = session
    try:
        yield
    finally:
        connections["default"] = before
