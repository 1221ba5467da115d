"""When a destination's log was lost, its facts are put back in the outbox, step by step, from what the services have stored."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings

from consumers.routes import PUBLISHERS, REPUBLISH
from kafka_shop.databases import alias_of, limited_transaction, rows
from kafka_shop.messaging.kafka import MOCK, Inspector, log_identity
from kafka_shop.messaging.models import OutboxRow, PublishedLog

log = structlog.get_logger("relay")

LOOK_BACK = timedelta(days=7)  # before the lost log was last seen
STEP_FACTS = 500
MOST_WAITING = 5000  # put-back rows of a database: more steps wait until these are out
UNDER_WAY = "SELECT EXISTS (SELECT FROM messaging_publishedlog WHERE destination = ANY(%s) AND republish_since IS NOT NULL)"


def watch_logs(now: datetime) -> int:
    """Notes each destination's log; one that is new starts a republication. Returns how many are new. Raises BrokerAway."""
    inspector = Inspector()
    try:
        return sum(note_log(name, identity(inspector, name), now) for name, service in PUBLISHERS.items() if service in settings.SERVICES)
    finally:
        inspector.close()


def identity(inspector: Inspector, destination: str) -> str:
    """Cluster and topic id of the destination's log, or "" where they cannot be told for sure."""
    cluster, topic = log_identity(inspector, settings.TOPICS[destination])
    return f"{cluster}/{topic}" if topic or cluster.startswith(MOCK) else ""


def note_log(destination: str, identity: str, now: datetime) -> int:
    """Returns 1 when another log than this was seen before: its facts are due again."""
    if not identity:
        return 0
    alias = alias_of(PUBLISHERS[destination])
    with limited_transaction(alias):
        known, created = (
            PublishedLog.objects.using(alias)
            .select_for_update()
            .get_or_create(destination=destination, defaults={"identity": identity, "seen_at": now})
        )
        lost = not created and known.identity != identity
        if lost:
            log.warning("the log was lost, its facts are published again", destination=destination, since=known.seen_at - LOOK_BACK)
            known.republish_since, known.cursor = known.seen_at - LOOK_BACK, None
        known.identity, known.seen_at = identity, now
        known.save(using=alias)
    return int(lost)


def step(now: datetime) -> int:
    """Puts the next facts back, of each service that has a republication under way; returns how many services went a step further."""
    return sum(step_of(service, now) for service in REPUBLISH if service in settings.SERVICES and is_under_way(service))


def is_under_way(service: str) -> bool:
    [(found,)] = rows(alias_of(service), UNDER_WAY, destinations(service))
    return bool(found)


def step_of(service: str, now: datetime) -> int:
    alias = alias_of(service)
    with limited_transaction(alias):
        due = list(
            PublishedLog.objects.using(alias)
            .select_for_update(skip_locked=True)
            .filter(destination__in=destinations(service), republish_since__isnull=False)
            .order_by("destination")
        )
        if not due or waiting(alias) > MOST_WAITING:
            return 0
        cursors = [each.cursor for each in due]
        cursor = REPUBLISH[service](
            since=min(each.republish_since for each in due if each.republish_since),
            cursor=None if None in cursors else cursors[0],  # a log that was lost meanwhile gets everything from the beginning
            limit=STEP_FACTS,
            now=now,
        )
        for each in due:
            each.cursor = cursor
            each.republish_since = each.republish_since if cursor else None
            each.save(using=alias)
    return 1


def destinations(service: str) -> list[str]:
    return [destination for destination, publisher in PUBLISHERS.items() if publisher == service]


def waiting(alias: str) -> int:
    """How many rows that were put back still wait, counted no further than matters."""
    return OutboxRow.objects.using(alias).filter(resent=True)[: MOST_WAITING + 1].count()


def republish_since(service: str, since: datetime, now: datetime) -> None:
    """Puts every fact of a service since a time back at once, a transaction a step."""
    cursor, begun = None, False
    while cursor or not begun:
        with limited_transaction(alias_of(service)):
            cursor, begun = REPUBLISH[service](since=since, cursor=cursor, limit=STEP_FACTS, now=now), True
