"""Everything that is told of an order: what the API answers, and the console shows."""

from typing import Any, NamedTuple
from uuid import UUID

from django.db import OperationalError

from consumers.ops.published import published
from consumers.ops.stored import Stored, stored
from consumers.ops.stuck import Reason, waiting_for
from consumers.ops.trace import Fact, event, facts, steps


class Story(NamedTuple):
    """An order: what is stored, its events, and what has to happen next."""

    stored: Stored
    facts: list[Fact]
    awaits: Reason | None


def story(order_id: UUID) -> Story | None:
    """None: nobody here knows the order. Raises OperationalError when a database that does not answer might know it."""
    found = stored(order_id)
    if found:
        told = published(facts(found))
        return Story(found, told, waiting_for(told, found))
    if found.away:
        raise OperationalError(f"the database of {', '.join(found.away)} does not answer")
    return None


def told(story: Story) -> dict[str, Any]:
    """The story as the API tells it."""
    found, order, invoice = story.stored, story.stored.order, story.stored.invoice
    return {
        "order_id": found.order_id,
        "customer_id": getattr(order or invoice, "customer_id", None),
        "status": order and order.status,
        "total": order.total if order else getattr(invoice, "amount", None),
        "currency": getattr(order or invoice, "currency", None),
        "invoice": invoice and invoice.status,
        "waiting_for": story.awaits.words if story.awaits else "",
        "steps": list(steps(story.facts, found)),
        "events": [event(fact, found) for fact in story.facts],
        "transfers": found.transfers,
        "letters": found.letters,
        "dead_letters": found.dead_letters,
        "away": found.away,
        "elsewhere": found.elsewhere,
    }
