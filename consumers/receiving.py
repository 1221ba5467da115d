"""The same engine behind `POST …/events/`: what comes over HTTP is a log of one partition, whose offsets are given on arrival."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from consumers import batch as transaction
from consumers import dead_letters, traces
from consumers.dead_letters import Flooded
from consumers.failures import Verdict, judge, reason
from consumers.pausing import is_paused
from consumers.positions import Claim, Positions
from consumers.reading import OVER_HTTP, Item, Reader
from consumers.retrying import Batch, lone_pause_seconds, next_tries
from consumers.routes import ROUTES, Route
from kafka_shop.databases import alias_of
from kafka_shop.messaging.kafka import Record

log = structlog.get_logger("consumers")


class SendAgain(Exception):
    """The events, or some of them, are not applied: the sender must send all of them again. Its message is the reason."""

    wait = 1  # seconds


class Paused(SendAgain):
    """Somebody wished that the consumer stands still. A request without events is refused, too: it asks whether any would be taken."""

    wait = 5


def receive(name: str, events: Sequence[bytes]) -> None:
    """Applies, recognises or dead-letters every event (CloudEvents in JSON) of a request. Raises SendAgain.

    The request claims the partition, so that two requests at once cannot both move it: the one that comes second ends the first.
    """
    try:
        if is_paused(name):
            raise Paused(f"{name} is paused: it takes events when it is resumed")
        if events:
            _apply(name, events)
    except SendAgain:
        raise
    except Exception as error:
        log.warning("sent again", consumer=name, reason=reason(error))
        raise SendAgain(reason(error)) from error


def _apply(name: str, events: Sequence[bytes]) -> None:
    route = ROUTES[name]
    positions = Positions(alias_of(name), name, settings.TOPICS[route.topic])
    with claimed(positions) as claim:
        read = items(Reader({kind.type: kind for kind in route.handlers}), events, positions.topic, claim.position)
        _apply_items(read, route, positions, claim)


@contextmanager
def claimed(positions: Positions) -> Iterator[Claim]:
    """The partition of requests. Whatever happens it is given back, so that only the death of the process counts as one."""
    [claim] = positions.claim([OVER_HTTP])
    try:
        yield claim
    except Exception:
        with suppress(DatabaseError):
            positions.release([claim])
        raise
    positions.release([claim])


def _apply_items(read: list[Item], route: Route, positions: Positions, claim: Claim) -> None:
    """Applies the events of a request, each by itself when two requests in a row killed the process. Raises SendAgain."""
    batches = deque(Batch([item]) for item in read) if claim.stalled > 1 else deque([Batch(read)])
    while batches:
        batch = batches.popleft()
        try:
            count = transaction.apply(
                batch.items, handlers=route.handlers, positions=positions, claims={OVER_HTTP: claim}, now=timezone.now()
            )
        except Exception as error:
            batches.extendleft(reversed(retried(batch, error)))
        else:
            dead_letters.tell(positions.consumer, batch.items[:count])
            traces.tell(positions.consumer, batch.items[:count])
            if count < len(batch.items):
                batches.appendleft(Batch(batch.items[count:]))


def items(reader: Reader, events: Sequence[bytes], topic: str, first: int) -> list[Item]:
    """The events of a request as messages of the partition OVER_HTTP, numbered from `first`."""
    now_ms = int(time.time() * 1000)
    return [reader.read(Record(topic, OVER_HTTP, first + place, now_ms, None, [], event)) for place, event in enumerate(events)]


def retried(batch: Batch, error: Exception) -> list[Batch]:
    """What to try next within the request. Raises SendAgain when only time can help."""
    verdict = judge(error)
    tries = [] if isinstance(error, Flooded) else next_tries(batch, error, verdict)
    if not tries:
        if verdict is Verdict.STOP or isinstance(error, Flooded):
            log.error("events are not taken", reason=str(error) if isinstance(error, Flooded) else reason(error))
        raise SendAgain(reason(error)) from error
    time.sleep(sum(lone_pause_seconds(each) for each in tries))
    return tries
