"""One batch in one transaction: the fence, the effects, the facts that follow, the dead letters."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from consumers import dead_letters, metrics
from consumers.failures import Fenced
from consumers.positions import Anchor, Claim, Positions
from consumers.reading import OVER_HTTP, Item
from consumers.waves import waves
from kafka_shop.databases import limited_transaction, planned_once
from kafka_shop.messaging import outbox
from kafka_shop.messaging.events import Event, Handler, Received

FEW = 10  # messages: to plan the statements of so small a batch takes longer than to run them

Handlers = Mapping[type[Event], Handler]


def apply(items: Sequence[Item], *, handlers: Handlers, positions: Positions, claims: Mapping[int, Claim], now: datetime) -> int:
    """Applies the longest beginning of `items` that needs no ninth wave, and returns its length.

    1. locks the partitions' progress rows and moves them (the fence; raises Fenced)
    2. calls the handlers, wave by wave
    3. writes the facts that follow to the outbox, and the refused messages to the dead letters (raises Flooded)
    4. commits all of it, or nothing
    """
    events = [(index, item, item.event) for index, item in enumerate(items) if item.event is not None and not item.refusal]
    planned, count = waves(events, type_of=lambda each: type(each[2]), key_of=lambda each: each[2].customer_id)
    items = items[: events[count][0]] if count < len(events) else items
    last = {item.record.partition: item for item in items}
    begun = time.monotonic()
    with limited_transaction(positions.alias), planned_once(len(items) <= FEW):
        fence(positions, claims, last, now)
        for wave in planned:
            for kind, members in wave.items():
                effect(handlers[kind], [item for _, item, _ in members], positions.alias, now)
        dead_letters.write(positions, [item for item in items if item.refusal], claims, now)
        dead_letters.close_applied(positions, [item for item in items if item.event and not item.refusal], now)
    metrics.applied(positions.consumer, items, time.monotonic() - begun, now)
    for partition, item in last.items():
        claims[partition].position = item.record.offset + 1
        claims[partition].anchor = anchor(item)
    return len(items)


def fence(positions: Positions, claims: Mapping[int, Claim], last: Mapping[int, Item], now: datetime) -> None:
    """Moves the progress rows first of all: whoever no longer owns them ends here. Raises Fenced."""
    moves = [(claims[partition], item.record, anchor(item).event_id) for partition, item in last.items()]
    if positions.move(moves, now) < len(moves):
        raise Fenced(f"{positions.consumer}: a partition of {sorted(last)} has another owner or position")


def effect(handler: Handler, items: Sequence[Item], alias: str, now: datetime) -> None:
    """Calls one handler with its set of events and publishes what follows, each fact under the trace of its cause."""
    received = [received_from(item, now) for item in items]
    traces = {item.envelope.subject: item.envelope.traceparent for item in items if item.envelope and item.envelope.traceparent}
    outbox.publish(handler(received), alias=alias, now=now, traceparents=traces)


def received_from(item: Item, now: datetime) -> Received[Any]:
    """The event with its time and, when it was read from a log, its place there."""
    if item.record.partition == OVER_HTTP:
        return Received(item.event, now)
    return Received(item.event, now, item.record.partition, item.record.offset)


def anchor(item: Item) -> Anchor:
    return Anchor(item.record.offset, item.record.timestamp, item.envelope.id if item.envelope else "")
