"""How fast the relay empties an outbox, whatever waits in it and whoever holds back vacuum. For a set-up Django."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psutil
import psycopg
from django.db import connection
from django.utils import timezone

from bench.shop import dsn
from kafka_shop.databases import run
from kafka_shop.messaging.envelope import seal, to_json
from kafka_shop.messaging.relay import Courier, over_kafka
from orders.events import OrderPlaced

THOUSAND = 1000
MILLION = 1_000_000
# as many copies of a fact as wanted, each of an order of its own
WAIT = """
INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)
SELECT 'order-topic', 'order.placed:' || id, %s, convert_to(replace(%s, %s, id::text), 'UTF8'), false, 0, '', now()
FROM (SELECT uuidv7() AS id FROM generate_series(1, %s)) AS made
"""

Show = Callable[[int], object]


class Spent(NamedTuple):
    """Seconds, and seconds of CPU."""

    seconds: float
    cpu: float


def courier(topic: str) -> Courier:
    """What the relay has for each topic."""
    return Courier("default", "order-topic", over_kafka(topic))


def thousands(courier: Courier, order: OrderPlaced, rows: int, show: Show) -> Spent:
    """What it takes to publish so many facts while never more than a thousand wait."""
    spent = Spent(0.0, 0.0)
    for number in range(rows // THOUSAND):
        wait(order, THOUSAND)
        seconds, cpu = _emptied(courier, THOUSAND, bool)
        spent = Spent(spent.seconds + seconds, spent.cpu + cpu)
        show(number * THOUSAND)
    return spent


def backlog(courier: Courier, order: OrderPlaced, rows: int, show: Show) -> Spent:
    """What it takes to publish so many facts that all wait."""
    wait(order, rows)
    run("default", "ANALYZE messaging_outboxrow")
    run("default", "CHECKPOINT")
    return _emptied(courier, rows, show)


def wait(order: OrderPlaced, rows: int) -> None:
    """Lets so many facts wait in the outbox."""
    run("default", WAIT, str(order.customer_id), to_json(seal(order)).decode(), str(order.order_id), rows)


@contextmanager
def old_snapshot() -> Iterator[None]:
    """Another transaction, open and idle: nothing that is deleted meanwhile can be removed."""
    with psycopg.connect(dsn()) as other:
        other.execute("SET idle_in_transaction_session_timeout = 0")
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT count(*) FROM consumers_position")
        yield


def _emptied(courier: Courier, rows: int, show: Show) -> Spent:
    """What it takes to publish so many, which wait."""
    begun, used, published = time.perf_counter(), cpu_seconds(), 0
    while published < rows:
        published += courier.turn(timezone.now())
        show(published)
    return Spent(time.perf_counter() - begun, cpu_seconds() - used)


def cpu_seconds() -> float:
    """What this process and its session of PostgreSQL have used so far."""
    return time.process_time() + sum(psutil.Process(connection.connection.info.backend_pid).cpu_times()[:2])
