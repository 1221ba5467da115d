"""What an audit finds unfinished, and is only on its way: in an outbox, in a log, an open dead letter, or too young to be missed."""

from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

import orders.audit
from consumers.reading import unseal
from consumers.relay import events_url
from consumers.routes import READERS, ROUTES
from consumers.stands import stands
from kafka_shop.databases import alias_of, rows, served_aliases
from kafka_shop.messaging.envelope import Unreadable
from kafka_shop.messaging.http import HttpCarrier
from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused, Inspector, Record, scan

IN_OUTBOX = "SELECT split_part(event_id, ':', 2) FROM messaging_outboxrow WHERE split_part(event_id, ':', 2) = ANY(%s::text[])"
DEAD = "SELECT subject FROM consumers_deadletter WHERE closed_at IS NULL AND subject = ANY(%s::text[])"


def on_their_way(subjects: Collection[str], now: datetime) -> set[str]:
    """Those of these orders that something is under way for. Asked in the order in which facts travel, so that none slips through."""
    if not subjects:
        return set()
    return young(subjects, now) | found(IN_OUTBOX, subjects) | unread(subjects) | found(DEAD, subjects)


def found(sql: str, subjects: Collection[str]) -> set[str]:
    """What a statement finds of these orders in the databases in use."""
    return {subject for alias in served_aliases() for (subject,) in rows(alias, sql, list(subjects))}


def young(subjects: Collection[str], now: datetime) -> set[str]:
    """The orders to which something happened within the sweep's age."""
    since = now - timedelta(seconds=settings.SWEEP_AFTER_SECONDS)
    touched = orders.audit.touched_since(alias_of("orders"), [UUID(subject) for subject in subjects], since)
    return {str(id) for id in touched}


def unread(subjects: Collection[str]) -> set[str]:
    """The orders of which a message lies before a consumer. None when the broker does not say: then nothing explains what is missing."""
    if settings.TRANSPORT != "kafka":
        return set()
    wanted = set(subjects)
    try:
        return {subject for records in before_the_consumers() for subject in map(subject_of, records) if subject in wanted}
    except (BrokerAway, BrokerMisused):
        return set()


def before_the_consumers() -> Iterator[list[Record]]:
    """All messages that a consumer has still to read. Raises BrokerAway, BrokerMisused."""
    with closing(Inspector()) as inspector:
        for name in ROUTES:
            for partition, stand in stands(inspector, name).items():
                yield from scan(stand.topic, partition, stand.reached, stand.marks.high)


def subject_of(record: Record) -> str:
    """The order that a message is about, or ""."""
    try:
        return unseal(record).subject
    except Unreadable:
        return ""


def answers(destination: str) -> bool:
    """Whether rows for a destination could leave now, as far as it is concerned."""
    if settings.TRANSPORT == "http":
        return all(HttpCarrier(events_url(reader), settings.SERVICE_TOKEN).is_well() for reader in READERS[destination])
    try:
        with suppress(BrokerMisused), closing(Inspector()) as inspector:  # it says what is wrong, or none is named: it is not silent
            inspector.partitions(settings.TOPICS[destination])
    except BrokerAway:
        return False
    return True
