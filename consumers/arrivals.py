"""Whether what was told has arrived: the effects of facts, looked for in the tables of the consumer that they are for."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import billing.audit
import notify.audit
import orders.audit
from billing.events import InvoiceRefunded, InvoiceSettled
from kafka_shop.databases import alias_of, rows
from kafka_shop.messaging.events import Event
from orders.events import OrderCancelled, OrderPlaced, OrderSettled

# What an event tells of its order, in the words that the audit of its reader asks for.
TOLD: dict[type[Event], Callable[[Any], str]] = {
    OrderPlaced: lambda event: "placed",
    OrderCancelled: lambda event: "cancelled",
    InvoiceSettled: attrgetter("outcome"),
    InvoiceRefunded: lambda event: "refunded",
    OrderSettled: attrgetter("outcome"),
}
APPLIED = {
    "orders": orders.audit.applied,
    "billing": billing.audit.applied,
    "notify": notify.audit.applied,
}
KEPT_SINCE: dict[str, Callable[[str], datetime]] = {"notify": notify.audit.kept_since}
ALWAYS = datetime.min.replace(tzinfo=UTC)
DEAD = "SELECT identity FROM consumers_deadletter WHERE consumer = %s AND identity = ANY(%s::text[])"


class Fact(NamedTuple):
    """What one event told."""

    event_id: str
    order_id: UUID
    what: str
    time: datetime


def told_by(event: Event, event_id: str) -> Fact:
    return Fact(event_id, event.order_id, TOLD[type(event)](event), event.time)


def unknown_to(consumer: str, facts: Sequence[Fact]) -> list[Fact]:
    """The facts that a consumer has neither applied nor as dead letters. Those whose effects may have been deleted are not among them."""
    since = KEPT_SINCE[consumer](alias_of(consumer)) if consumer in KEPT_SINCE else ALWAYS
    facts = [fact for fact in facts if fact.time >= since]
    done = APPLIED[consumer](alias_of(consumer), list({(fact.order_id, fact.what) for fact in facts})) if facts else set()
    left = [fact for fact in facts if (fact.order_id, fact.what) not in done]
    dead = dead_letters(consumer, [fact.event_id for fact in left])
    return [fact for fact in left if fact.event_id not in dead]


def dead_letters(consumer: str, identities: Sequence[str]) -> set[str]:
    """Which of these a consumer has, or had, as dead letters."""
    return {name for (name,) in rows(alias_of(consumer), DEAD, consumer, list(identities))} if identities else set()
