"""The flow at a glance: rates, lag, time to drain, outbox, consumers, dead letters. Gathered at most every KEPT_SECONDS a process."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from django.conf import settings
from django.utils import timezone

from consumers.models import Pause, Position
from consumers.ops import figures
from consumers.ops.asking import Databases
from consumers.ops.brokers import Ends, Logs
from consumers.ops.minutes import Minutes
from consumers.reading import OVER_HTTP
from consumers.routes import PUBLISHERS, ROUTES
from kafka_shop.databases import alias_of, rows, served_aliases
from kafka_shop.messaging.kafka import Watermarks
from kafka_shop.messaging.models import PublishedLog

KEPT_SECONDS = 2.0
SILENT = timedelta(seconds=15)  # three beats

Told = Callable[..., Any]  # Databases.told


class Kept:
    """What one request has gathered serves all that come within the next seconds; those that come meanwhile wait for it."""

    def __init__(self, gather: Callable[[], dict[str, Any]]) -> None:
        self._gather, self._lock = gather, Lock()
        self._found: dict[str, Any] = {}
        self._until = 0.0

    def __call__(self) -> dict[str, Any]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = self._gather()
                self._until = time.monotonic() + KEPT_SECONDS
            return self._found

    def forget(self) -> None:
        """Somebody has just changed what was gathered."""
        self._until = 0.0


def gather(logs: Logs, minutes: Minutes, now: datetime) -> dict[str, Any]:
    """All figures; what a database or the broker does not tell is None."""
    told, ends, served = Databases().told, logs.ends(), [name for name in ROUTES if name in settings.SERVICES]
    databases = {alias: "away" if told(rows, alias, "SELECT 1") is None else "ok" for alias in served_aliases()}
    boxes = [outbox(told, destination, now) for destination, service in PUBLISHERS.items() if service in served]
    dead = [told(figures.open_dead_letters, alias, served) for alias in served_aliases()]
    newest = [told(figures.newest_events, alias_of(name), name) for name in served]
    letters = alias_of("notify") if "notify" in served else None
    return {
        "at": now,
        "databases": databases,
        "broker": broker_state(ends),
        "edges": [edge(told, name, ends, boxes, now) for name in served],
        "outbox": boxes,
        "place_to_letter": letters and told(figures.place_to_letter, letters, now),
        "minutes": letters and told(minutes, letters, now),
        "dead_letters": [group for groups in dead for group in groups or []],
        "newest": sorted((each for events in newest for each in events or []), key=lambda each: each["at"], reverse=True)[: figures.NEWEST],
        "elsewhere": [name for name in ROUTES if name not in served],
    }


def broker_state(ends: Ends | None) -> str | None:
    if settings.TRANSPORT != "kafka":
        return None
    return "away" if ends is None else "ok"


def edge(told: Told, name: str, ends: Ends | None, boxes: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """What flows into one consumer. Over HTTP its lag is what waits for it in its sender's outbox."""
    destination, alias = ROUTES[name].topic, alias_of(name)
    topic = settings.TOPICS[destination]
    rates = told(figures.rates, alias, name, now)
    positions = told(positions_of, alias, name, topic)
    marks = ends.get(topic) if ends else None
    behind = lag(positions, marks) if settings.TRANSPORT == "kafka" else waiting(topic, boxes)
    return {
        "from": PUBLISHERS[destination],
        "to": name,
        "topic": topic,
        **pause(told(pauses_of, alias, name)),
        "rate_1m": rates and rates.minute,
        "rate_15m": rates and rates.quarter,
        "lag": behind,
        "drain_seconds": drain_seconds(behind, rates.minute if rates else 0.0),
        "partitions": [partition(each, marks, now) for each in positions or []],
    }


def positions_of(alias: str, consumer: str, topic: str) -> list[Position]:
    return list(Position.objects.using(alias).filter(consumer=consumer, topic=topic).order_by("partition"))


def pauses_of(alias: str, consumer: str) -> list[Pause]:
    return list(Pause.objects.using(alias).filter(consumer=consumer))


def pause(wishes: list[Pause] | None) -> dict[str, Any]:
    """Whether somebody wished that a consumer stands still, and who."""
    paused = None if wishes is None else bool(wishes)
    return {"paused": paused, "paused_since": wishes[0].since if wishes else None, "paused_by": wishes[0].by if wishes else ""}


def waiting(topic: str, boxes: list[dict[str, Any]]) -> int | None:
    """What waits to leave for a topic; None when its sender is served elsewhere, or does not say."""
    return next((box["waiting"] for box in boxes if box["topic"] == topic), None)


def lag(positions: list[Position] | None, marks: "dict[int, Watermarks] | Any") -> int | None:
    """Messages that the consumer has before it; None when database or broker does not say."""
    if positions is None or marks is None:
        return None
    reached = {each.partition: each.position for each in positions}
    return sum(unread(reached.get(number, 0), mark) for number, mark in marks.items())


def unread(position: int, mark: Watermarks) -> int:
    return max(0, mark.high - max(position, mark.low))


def drain_seconds(behind: int | None, pace: float) -> float | None:
    """How long the lag takes at the last minute's pace; None: nobody can say, or nothing moves."""
    if not behind:
        return None if behind is None else 0.0
    return round(behind / pace, 1) if pace else None


def partition(row: Position, marks: Any, now: datetime) -> dict[str, Any]:
    """A consumer's place in one partition, and whether somebody looks after it."""
    mark = marks.get(row.partition) if marks else None
    return {
        "partition": None if row.partition == OVER_HTTP else row.partition,
        "position": row.position,
        "lag": unread(row.position, mark) if mark else None,
        "beat_at": row.beat_at,
        "moved_at": row.moved_at,
        "state": state(row, now),
    }


def state(row: Position, now: datetime) -> str:
    """ok, or nobody: it is released; silent: its owner has not beaten for SILENT; http: requests come when they come."""
    if row.partition == OVER_HTTP:
        return "http"
    if row.owner is None:
        return "nobody"
    return "ok" if row.beat_at and now - row.beat_at <= SILENT else "silent"


def outbox(told: Told, destination: str, now: datetime) -> dict[str, Any]:
    """What waits to leave for a topic, and when the relay last saw the topic's log, which it looks for every few seconds."""
    alias, unknown = alias_of(PUBLISHERS[destination]), {"waiting": None, "refused": None, "oldest_seconds": None}
    return {
        "topic": settings.TOPICS[destination],
        "service": PUBLISHERS[destination],
        **(told(figures.outbox, alias, destination, now) or unknown),
        "log_seen_at": told(log_seen_at, alias, destination),
    }


def log_seen_at(alias: str, destination: str) -> datetime | None:
    return PublishedLog.objects.using(alias).filter(destination=destination).values_list("seen_at", flat=True).first()


_logs, _minutes = Logs(), Minutes()
flow = Kept(lambda: gather(_logs, _minutes, timezone.now()))
