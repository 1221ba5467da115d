"""The story of one order: its events with the way of each, its steps, and what it waits for."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from consumers.metrics import placed_at as drawn_at
from consumers.ops.stored import Stored
from consumers.reading import OVER_HTTP
from consumers.routes import PUBLISHERS, READERS
from orders.models import Order

# away: its reader's database does not answer; elsewhere: it is not served here
STATES = ("applied", "dead letter", "refused", "in the outbox", "on its way", "away", "elsewhere")
TOLD = ("at", "published_at", "applied_at", "partition", "offset", "waiting_ms", "working_ms")


class Fact(NamedTuple):
    """An event of the order: when it was told, and where and when it was applied, as far as that is stored here."""

    kind: str  # the event's id without the order: order.placed
    event_id: str
    destination: str
    at: datetime | None  # when the fact happened; none: its service is elsewhere
    partition: int | None = None
    offset: int | None = None
    applied_at: datetime | None = None  # the time of the batch that applied it
    row_id: UUID | None = None  # of the row that the batch made, drawn while it worked
    without_effect: bool = False  # it was applied, or would be, and changes nothing
    passed_at: datetime | None = None  # when its reader made it a dead letter, which is open
    published_at: datetime | None = None  # the time of its record in the log

    @property
    def told_by(self) -> str:
        return PUBLISHERS[self.destination]

    @property
    def read_by(self) -> str:
        return READERS[self.destination][0]

    @property
    def waiting_ms(self) -> float | None:
        """From the fact to the begin of the batch that applied it: outbox, broker, and the queue of its partition."""
        return milliseconds(self.at, self.applied_at)

    @property
    def working_ms(self) -> float | None:
        """From the begin of that batch to the making of its row; the row's id, a UUID of version 7, has that time (RFC 9562)."""
        if self.applied_at is None or self.row_id is None:
            return None
        return max(0.0, round(drawn_at(self.row_id) * 1000 - self.applied_at.timestamp() * 1000, 3))


def milliseconds(begin: datetime | None, end: datetime | None) -> float | None:
    return round((end - begin).total_seconds() * 1000, 3) if begin and end else None


def facts(stored: Stored) -> list[Fact]:
    """The events of the order that were told or applied, in the order in which they happened."""
    every = (*to_billing(stored), *to_orders(stored), *to_notify(stored))
    known = [passed_over(fact, stored) for fact in every if fact.at or fact.applied_at]
    return sorted(known, key=lambda fact: (fact.at or fact.applied_at, destinations().index(fact.destination)))


def passed_over(fact: Fact, stored: Stored) -> Fact:
    """An event that is a dead letter lies where its reader passed over it."""
    if fact.applied_at or fact.without_effect:
        return fact
    letter = next((each for each in stored.dead_letters if each.identity == fact.event_id and not each.closed_at), None)
    if letter is None:
        return fact
    passed = fact._replace(passed_at=letter.failed_at)
    return passed if letter.partition == OVER_HTTP else passed._replace(partition=letter.partition, offset=letter.offset)


def destinations() -> list[str]:
    """In the order in which an order passes them."""
    return list(PUBLISHERS)


def to_billing(stored: Stored) -> Iterator[Fact]:
    order, invoice, id = stored.order, stored.invoice, stored.order_id
    placed = Fact("order.placed", f"order.placed:{id}", "order-topic", order.placed_at if order else None)
    cancelled = Fact("order.cancelled", f"order.cancelled:{id}", "order-topic", cancelled_at(order))
    if invoice is None:
        yield from (placed, cancelled)
        return
    yield placed._replace(
        partition=invoice.partition, offset=invoice.offset, applied_at=invoice.applied_at, row_id=invoice.id if invoice.amount else None
    )
    if cancelled.at or invoice.cancelled_offset is not None:
        yield cancelled._replace(
            partition=invoice.cancelled_partition,
            offset=invoice.cancelled_offset,
            applied_at=invoice.voided_at or invoice.refunded_at,
            without_effect=invoice.cancelled_offset is not None or invoice.outcome == "declined",
        )


def cancelled_at(order: Order | None) -> datetime | None:
    """When the customer cancelled; none when billing gave the money back by itself."""
    return order.cancelled_at if order and order.cancelled_at != order.refunded_at else None


def to_orders(stored: Stored) -> Iterator[Fact]:
    order, invoice, id = stored.order, stored.invoice, stored.order_id
    settled = Fact("invoice.settled", f"invoice.settled:{id}", "billing-topic", invoice.settled_at if invoice else None)
    refunded = Fact("invoice.refunded", f"invoice.refunded:{id}", "billing-topic", invoice.refunded_at if invoice else None)
    if order is None:
        yield from (settled, refunded)
        return
    yield settled._replace(
        partition=order.settled_partition,
        offset=order.settled_offset,
        applied_at=order.paid_at or order.late_paid_at or order.rejected_at,
        without_effect=order.cancelled_at is not None and getattr(invoice, "outcome", "") == "declined",
    )
    yield refunded._replace(partition=order.refunded_partition, offset=order.refunded_offset, applied_at=order.refunded_at)


def to_notify(stored: Stored) -> Iterator[Fact]:
    letters = {letter.outcome: letter for letter in stored.letters}
    for outcome in ("paid", "rejected", "cancelled", "refunded"):
        at = getattr(stored.order, f"{outcome}_at", None)
        late = bool(at and stored.letters_since and at < stored.letters_since)
        fact = Fact("order.settled", f"order.settled:{stored.order_id}:{outcome}", "notify-topic", at, without_effect=late)
        letter = letters.get(outcome)
        yield (
            fact
            if letter is None
            else fact._replace(partition=letter.partition, offset=letter.offset, applied_at=letter.created_at, row_id=letter.id)
        )


def state(fact: Fact, stored: Stored) -> str:
    """One of STATES."""
    if fact.applied_at or fact.without_effect:
        return "applied"
    if fact.passed_at:
        return "dead letter"
    if row := stored.outbox.get(fact.event_id):
        return "refused" if row.refused else "in the outbox"
    if fact.read_by in stored.away:
        return "away"
    return "elsewhere" if fact.read_by in stored.elsewhere else "on its way"


def event(fact: Fact, stored: Stored) -> dict[str, Any]:
    """An event as the trace shows it."""
    return {
        "id": fact.event_id,
        "topic": settings.TOPICS[fact.destination],
        "told_by": fact.told_by,
        "read_by": fact.read_by,
        "state": state(fact, stored),
        **{name: getattr(fact, name) for name in TOLD},
    }


# What a step of the waterfall is called: the part that its event's reader has in the order.
STEPS = {
    "order.placed": "billed",
    "order.cancelled": "given back or void",
    "invoice.settled": "settled",
    "invoice.refunded": "refunded",
    "order.settled": "letter",
}


def steps(told: list[Fact], stored: Stored) -> Iterator[dict[str, Any]]:
    """The waterfall. When a fact left its outbox is not stored: where the log does not tell it, `published` says only that it did."""
    if stored.order:
        yield {"what": "accepted", "service": "orders", "at": stored.order.placed_at, "waiting_ms": None, "working_ms": None}
        placed = next(fact for fact in told if fact.kind == "order.placed")
        what, at = ("in the outbox", None) if placed.event_id in stored.outbox else ("published", placed.published_at)
        yield {"what": what, "service": "orders", "at": at, "waiting_ms": milliseconds(placed.at, at), "working_ms": None}
    applied = sorted((fact.applied_at, place) for place, fact in enumerate(told) if fact.applied_at)
    for at, fact in ((at, told[place]) for at, place in applied):
        times = {"at": at, "waiting_ms": fact.waiting_ms, "working_ms": fact.working_ms}
        yield {"what": STEPS[fact.kind], "service": fact.read_by, **times}
