"""`--from`: moves the position of a stopped consumer, in Kafka and in the database."""

from datetime import datetime
from typing import Literal

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime

from consumers.positions import Log, Positions
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of, limited_transaction
from kafka_shop.messaging.kafka import Inspector, log_identity

Start = Literal["earliest", "latest"] | datetime


def when(text: str) -> Start:
    """What `--from` says. Raises CommandError."""
    if text == "earliest":
        return "earliest"
    if text == "latest":
        return "latest"
    try:
        time = parse_datetime(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise CommandError(f"--from {text!r} is not earliest, latest or an ISO 8601 time with its zone, such as 2026-01-31T09:00:00Z")
    return time


def rewind(name: str, start: Start, now: datetime) -> dict[int, int]:
    """Sets each partition's position and returns them. Raises BrokerMisused while the group has members."""
    route, alias = ROUTES[name], alias_of(name)
    topic = settings.TOPICS[route.topic]
    inspector = Inspector(route.group)
    try:
        wanted = {partition: offset(inspector, topic, partition, start) for partition in inspector.partitions(topic)}
        inspector.commit(topic, wanted)
        positions, log = Positions(alias, name, topic), Log(*log_identity(inspector, topic))
        with limited_transaction(alias):
            claims = positions.claim(sorted(wanted))
            for claim in claims:
                positions.reset(claim, wanted[claim.partition], log)
            positions.release(claims)
    finally:
        inspector.close()
    return wanted


def offset(inspector: Inspector, topic: str, partition: int, start: Start) -> int:
    if isinstance(start, datetime):
        return inspector.offset_at(topic, partition, int(start.timestamp() * 1000))
    marks = inspector.watermarks(topic, partition)
    return marks.low if start == "earliest" else marks.high
