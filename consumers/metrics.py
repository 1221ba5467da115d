"""What consumers and relays tell Prometheus. Loops count as they go; what costs a question is asked by the loop itself, now and then."""

import collections
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from prometheus_client import Counter, Gauge, Histogram, start_http_server

from consumers.health import State
from consumers.reading import Item
from kafka_shop.databases import rows, served_aliases
from kafka_shop.messaging.kafka import BrokerAway

if TYPE_CHECKING:
    from consumers.loop import Loop
    from consumers.relay import Relay

ASKED_SECONDS = 5.0  # between two looks at lag, outbox and dead letters
SAMPLES = 10  # messages of a batch whose age is observed
LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

MESSAGES = Counter("shop_messages", "Messages that are done with.", ["consumer", "type"])
BATCHES = Counter("shop_batches", "Batches that were committed.", ["consumer"])
BATCH_SECONDS = Histogram("shop_batch_seconds", "From the begin to the end of a batch, in seconds.", ["consumer"], buckets=LATENCIES)
RETRIES = Counter("shop_retries", "Batches that only time could help.", ["consumer"])
DEAD_LETTERS = Counter("shop_dead_letters", "Messages that became dead letters.", ["consumer"])
SINCE_ORDER = Histogram(
    "shop_since_order_seconds", "From the placing of an order to this consumer's part of it, in seconds.", ["consumer"], buckets=LATENCIES
)
LAG = Gauge("shop_lag_messages", "Messages behind the end of the logs of the partitions of this process.", ["consumer"])
PARTITIONS = Gauge("shop_partitions", "Partitions of this process by state.", ["consumer", "state"])
PUBLISHED = Counter("shop_published", "Facts that were published.", ["destination"])
OUTBOX_ROWS = Gauge("shop_outbox_rows", "Facts that wait in the outbox.", ["destination"])
OUTBOX_AGE = Gauge("shop_outbox_oldest_seconds", "Age of the oldest fact that waits in the outbox, in seconds.", ["destination"])
OUTBOX_REFUSED = Gauge("shop_outbox_refused_rows", "Facts that were set aside.", ["destination"])
OPEN_DEAD_LETTERS = Gauge("shop_open_dead_letters", "Dead letters that wait for a person.", ["consumer"])

OUTBOX = """SELECT destination, count(*) FILTER (WHERE refused = ''), count(*) FILTER (WHERE refused <> ''),
                   coalesce(extract(epoch FROM %s - min(created_at) FILTER (WHERE refused = '')), 0)
            FROM messaging_outboxrow GROUP BY destination"""
OPEN = "SELECT consumer, count(*) FROM consumers_deadletter WHERE closed_at IS NULL GROUP BY consumer"


class MetricsFailed(Exception):
    """The port cannot be opened; the message names the setting."""


def serve() -> None:
    """Opens METRICS_PORT, where one is set. Raises MetricsFailed."""
    if not settings.METRICS_PORT:
        return
    try:
        start_http_server(settings.METRICS_PORT)
    except OSError as error:
        raise MetricsFailed(
            f"metrics cannot be served on port {settings.METRICS_PORT} ({error.strerror}): set another METRICS_PORT"
        ) from error


def applied(consumer: str, items: Sequence[Item], seconds: float, now: datetime) -> None:
    """Counts a batch that was committed."""
    BATCHES.labels(consumer).inc()
    BATCH_SECONDS.labels(consumer).observe(seconds)
    for kind, count in collections.Counter(kind_of(item) for item in items).items():
        MESSAGES.labels(consumer, kind).inc(count)
    DEAD_LETTERS.labels(consumer).inc(sum(1 for item in items if item.refusal))
    for item in items[:: max(1, len(items) // SAMPLES)]:
        if item.event is not None and not item.refusal:
            SINCE_ORDER.labels(consumer).observe(max(0.0, now.timestamp() - placed_at(item.event.order_id)))


def kind_of(item: Item) -> str:
    """The type of an event; what cannot be read has none."""
    return item.event.type if item.event is not None else "foreign or unreadable"


def placed_at(order_id: UUID) -> float:
    """When an order was placed, in seconds since 1970: its id, a UUID of version 7, begins with the time (RFC 9562, section 5.7)."""
    return (order_id.int >> 80) / 1000


class Now:
    """Asks now and then, in the loop's own thread; what cannot be answered stays as it was."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask, self._at = ask, 0.0

    def __call__(self) -> None:
        if not settings.METRICS_PORT or time.monotonic() < self._at:
            return
        self._at = time.monotonic() + ASKED_SECONDS
        try:
            self._ask()
        except (BrokerAway, DatabaseError):
            return


def of_loop(loop: "Loop") -> None:
    """Lag and partitions of a consumer. Raises BrokerAway."""
    states = list(loop.membership.states().values())
    for state in State:
        PARTITIONS.labels(loop.name, state).set(states.count(state))
    LAG.labels(loop.name).set(loop.membership.lag())


def of_relay(relay: "Relay", now: datetime) -> None:
    """Outbox and dead letters of the databases of a relay. Raises database errors."""
    waiting: dict[str, tuple[float, ...]] = dict.fromkeys(relay.destinations, (0, 0, 0.0))
    for alias in served_aliases():
        waiting |= {destination: tuple(figures) for destination, *figures in rows(alias, OUTBOX, now)}
    for destination, (count, refused, oldest_seconds) in waiting.items():
        OUTBOX_ROWS.labels(destination).set(count)
        OUTBOX_REFUSED.labels(destination).set(refused)
        OUTBOX_AGE.labels(destination).set(oldest_seconds)
    letters = {consumer: count for alias in served_aliases() for consumer, count in rows(alias, OPEN)}
    for consumer in settings.SERVICES:
        OPEN_DEAD_LETTERS.labels(consumer).set(letters.get(consumer, 0))
