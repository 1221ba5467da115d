"""What the databases of this process hold of one order: a few look-ups by index, however large the tables are."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from billing.models import Invoice, Transfer
from consumers.models import DeadLetter
from consumers.ops.asking import Databases
from consumers.pausing import is_paused
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of
from kafka_shop.messaging.models import OutboxRow
from notify.audit import kept_since
from notify.models import Letter
from notify.models import Outcome as LetterOutcome
from orders.models import Order

MOST_DEAD_LETTERS = 100


@dataclass(frozen=True, kw_only=True)
class Stored:
    """All that is known of an order here. What another process serves is not; `elsewhere` names it."""

    order_id: UUID
    order: Order | None = None
    invoice: Invoice | None = None
    transfers: Sequence[Transfer] = ()
    letters: Sequence[Letter] = ()
    letters_since: datetime | None = None  # those of earlier facts may have been deleted
    outbox: Mapping[str, OutboxRow] = field(default_factory=dict)  # by event id, without the event
    dead_letters: Sequence[DeadLetter] = ()  # newest first, without what they carry
    paused: Collection[str] = ()  # consumers that are to stand still
    away: Collection[str] = ()  # services whose database does not answer
    elsewhere: Collection[str] = ()

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return any((self.order, self.invoice, self.letters, self.outbox, self.dead_letters))


class Part(NamedTuple):
    """What one service's database holds."""

    own: Mapping[str, Any]
    outbox: Sequence[OutboxRow]
    dead_letters: Sequence[DeadLetter]
    paused: bool


def stored(order_id: UUID) -> Stored:
    """Asks the database of every service that this process serves; one that does not answer leaves its part out."""
    databases = Databases()
    asked = {name: databases.told(part, name, order_id) for name in ROUTES if name in settings.SERVICES}
    parts = {name: found for name, found in asked.items() if found}
    own = {what: found for each in parts.values() for what, found in each.own.items()}
    dead = [letter for each in parts.values() for letter in each.dead_letters]
    return Stored(
        order_id=order_id,
        **own,
        outbox={row.event_id: row for each in parts.values() for row in each.outbox},
        dead_letters=sorted(dead, key=lambda letter: letter.failed_at, reverse=True),
        paused=[name for name, each in parts.items() if each.paused],
        away=[name for name in asked if name not in parts],
        elsewhere=[name for name in ROUTES if name not in asked],
    )


def part(name: str, order_id: UUID) -> Part:
    """Raises database errors."""
    return Part(OWN[name](order_id), outbox_rows(name, order_id), dead_letters(name, str(order_id)), is_paused(name))


def of_orders(order_id: UUID) -> dict[str, Any]:
    return {"order": Order.objects.filter(id=order_id).first()}


def of_billing(order_id: UUID) -> dict[str, Any]:
    invoice = Invoice.objects.filter(order_id=order_id).first()
    return {"invoice": invoice, "transfers": list(Transfer.objects.filter(invoice_id=invoice.id).order_by("id")) if invoice else []}


def of_notify(order_id: UUID) -> dict[str, Any]:
    return {"letters": list(Letter.objects.filter(order_id=order_id).order_by("id")), "letters_since": kept_since(alias_of("notify"))}


OWN: dict[str, Callable[[UUID], dict[str, Any]]] = {"orders": of_orders, "billing": of_billing, "notify": of_notify}

# The ids of the facts that each service tells of an order, by destination.
FACTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "orders": {
        "order-topic": ("order.placed:{}", "order.cancelled:{}"),
        "notify-topic": [f"order.settled:{{}}:{outcome}" for outcome in LetterOutcome.values],
    },
    "billing": {"billing-topic": ("invoice.settled:{}", "invoice.refunded:{}")},
    "notify": {},
}


def outbox_rows(name: str, order_id: UUID) -> list[OutboxRow]:
    """The order's facts that have still to leave this service, found by their natural ids."""
    rows = OutboxRow.objects.using(alias_of(name)).defer("event")
    wanted = [(destination, [id.format(order_id) for id in ids]) for destination, ids in FACTS[name].items()]
    return [row for destination, ids in wanted for row in rows.filter(destination=destination, event_id__in=ids)]


def dead_letters(name: str, subject: str) -> list[DeadLetter]:
    """The order's dead letters of this consumer, open or not."""
    found = DeadLetter.objects.using(alias_of(name)).filter(subject=subject, consumer=name)
    return list(found.defer("key", "value", "headers").order_by("-failed_at")[:MOST_DEAD_LETTERS])
