"""What an order waits for, in words: the cases of "A stuck order" in docs/what-to-do.md, in their order."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from consumers.ops.stored import Stored
from consumers.ops.trace import Fact, state
from kafka_shop.messaging.models import OutboxRow


class Reason(NamedTuple):
    """Why an order does not move, and where that is mended."""

    words: str
    dead_letter: UUID | None = None
    paused: str = ""  # the consumer


def waiting_for(told: Sequence[Fact], stored: Stored) -> Reason | None:
    """The first thing that has to happen; None when nothing is awaited."""
    return next(reasons(told, stored), None)


def reasons(told: Sequence[Fact], stored: Stored) -> Iterator[Reason]:
    for letter in stored.dead_letters:
        if not letter.closed_at:
            what = f"a dead letter of {letter.consumer} ({letter.id}): {letter.reason}. Mend the cause, then replay or discard it"
            yield Reason(what, dead_letter=letter.id)
    for row in stored.outbox.values():
        if row.refused:
            yield Reason(f"{row.event_id} in the outbox, which its topic will never take: {row.refused}. Mend that and clear `refused`")
    ways = [(fact, state(fact, stored)) for fact in told]
    yield from (in_outbox(stored.outbox[fact.event_id]) for fact, where in ways if where == "in the outbox")
    if stored.invoice and stored.invoice.status == "open" and not (stored.order and stored.order.cancelled_at):
        yield Reason("its customer: the invoice is open and has to be paid (BILLING_MODE was on_request)")
    yield from (unread(fact, stored) for fact, where in ways if where == "on its way")
    yield from (Reason(f"perhaps {fact.read_by}, whose database does not answer") for fact, where in ways if where == "away")
    yield from (Reason(f"perhaps {fact.read_by}, which is served elsewhere: ask there") for fact, where in ways if where == "elsewhere")


def in_outbox(row: OutboxRow) -> Reason:
    tries = f" after {row.attempts} tries" if row.attempts else ""
    waits = f"{row.event_id} waits in the outbox since {row.created_at:%Y-%m-%dT%H:%M:%SZ}{tries}"
    return Reason(f"the relay: {waits}. It does not run, or the broker is away")


def unread(fact: Fact, stored: Stored) -> Reason:
    if fact.read_by in stored.paused:
        return Reason(f"{fact.read_by}, which is paused: resume it, and it reads {fact.event_id}", paused=fact.read_by)
    return Reason(f"{fact.read_by}: it has not read {fact.event_id} yet. Does its consumer run, and how far behind is it?")
