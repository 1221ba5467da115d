"""The only way out: a fact is a row, written in the transaction that makes it true."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime

from django.db import connections

from kafka_shop.databases import columns, run
from kafka_shop.messaging.envelope import seal, to_json
from kafka_shop.messaging.events import Event

traceparent: ContextVar[str] = ContextVar("traceparent", default="")  # of the request in hand (W3C Trace Context)

INSERT = """
INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)
SELECT destination, event_id, key, event, %s, 0, '', %s
FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[]) WITH ORDINALITY AS fact(destination, event_id, key, event, place)
ORDER BY place
ON CONFLICT (destination, event_id) DO NOTHING
"""


def publish(
    facts: Sequence[Event], *, alias: str, now: datetime, traceparents: Mapping[str, str] | None = None, resent: bool = False
) -> int:
    """Writes facts to the outbox of the database `alias`, inside its open transaction, and returns how many were not there yet.

    traceparents: by subject, for facts that follow from events; else the request's own. resent: the rows wait for new ones.
    Raises FactTooLarge, and RuntimeError outside a transaction.
    """
    if not facts:
        return 0
    if not connections[alias].in_atomic_block:
        raise RuntimeError("a fact is published in the transaction that makes it true")
    default = traceparent.get()
    records = [record(fact, traceparents.get(str(fact.order_id), default) if traceparents else default) for fact in facts]
    return run(alias, INSERT, resent, now, *columns(records, 4))


def record(fact: Event, traceparent: str) -> tuple[str, str, str, bytes]:
    """A fact as the outbox keeps it: destination, event id, key, event. Raises FactTooLarge."""
    envelope = seal(fact, traceparent)
    return fact.destination, envelope.id, envelope.partitionkey, to_json(envelope)
