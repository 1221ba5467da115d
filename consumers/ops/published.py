"""When the facts of an order left. Nobody stores that, but their records in the log have it: a few, at known places, are read."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings

from consumers.ops.brokers import Logs, Place
from consumers.ops.trace import Fact
from kafka_shop.messaging.kafka import Record

SKEW = timedelta(seconds=1)  # of the clocks of a relay and of a consumer

_logs = Logs()


def published(told: Sequence[Fact], logs: Logs = _logs) -> list[Fact]:
    """The facts, each with the time at which it was published as far as the broker tells it at once."""
    places = {fact.event_id: place for fact in told if (place := place_of(fact))}
    records = (logs.records(list(places.values())) if places else None) or {}
    found = {event_id: records[place] for event_id, place in places.items() if place in records}
    return [fact._replace(published_at=time_of(found[fact.event_id], fact)) if fact.event_id in found else fact for fact in told]


def place_of(fact: Fact) -> Place | None:
    """Where it was read; None: it was not, or it came over HTTP."""
    if fact.partition is None or fact.offset is None:
        return None
    return Place(settings.TOPICS[fact.destination], fact.partition, fact.offset)


def time_of(record: Record, fact: Fact) -> datetime | None:
    """The record's time, in milliseconds; None when that is not the record that was read: the log is another one."""
    time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=record.timestamp)
    latest = fact.applied_at or fact.passed_at or datetime.max.replace(tzinfo=UTC)
    if record.timestamp <= 0 or time - SKEW > latest or dict(record.headers).get("ce_id") != fact.event_id.encode():
        return None
    return min(max(time, fact.at or time), latest)
