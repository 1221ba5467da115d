"""What the databases of this process hold of one order: a few look-ups by index, however large the tables are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from billing.models import Invoice, Transfer
from consumers.models import DeadLetter
from consumers.routes import ROUTES
from kafka_shop.databases import served_aliases
from kafka_shop.messaging.models import OutboxRow
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
    outbox: Mapping[str, OutboxRow] = field(default_factory=dict)  # by event id, without the event
    dead_letters: Sequence[DeadLetter] = ()  # newest first, without what they carry
    elsewhere: Collection[str] = ()

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return any((self.order, self.invoice, self.letters, self.outbox, self.dead_letters))


def stored(order_id: UUID) -> Stored:
    """Asks every database in use."""
    served = set(settings.SERVICES)
    invoice = Invoice.objects.filter(order_id=order_id).first() if "billing" in served else None
    return Stored(
        order_id=order_id,
        order=Order.objects.filter(id=order_id).first() if "orders" in served else None,
        invoice=invoice,
        transfers=list(Transfer.objects.filter(invoice_id=invoice.id).order_by("id")) if invoice else [],
        letters=list(Letter.objects.filter(order_id=order_id).order_by("id")) if "notify" in served else [],
        outbox=outbox_rows(order_id),
        dead_letters=dead_letters(str(order_id)),
        elsewhere=[name for name in ROUTES if name not in served],
    )


def outbox_rows(order_id: UUID) -> dict[str, OutboxRow]:
    """The order's facts that have still to leave, found by their natural ids."""
    wanted = Q(destination="order-topic", event_id__in=[f"order.placed:{order_id}", f"order.cancelled:{order_id}"])
    wanted |= Q(destination="billing-topic", event_id__in=[f"invoice.settled:{order_id}", f"invoice.refunded:{order_id}"])
    wanted |= Q(destination="notify-topic", event_id__in=[f"order.settled:{order_id}:{outcome}" for outcome in LetterOutcome.values])
    found = (OutboxRow.objects.using(alias).filter(wanted).defer("event") for alias in served_aliases())
    return {row.event_id: row for rows in found for row in rows}


def dead_letters(subject: str) -> list[DeadLetter]:
    """The order's dead letters, open or not."""
    found: list[DeadLetter] = []
    for alias in served_aliases():
        letters = DeadLetter.objects.using(alias).filter(subject=subject, consumer__in=settings.SERVICES)
        found += letters.defer("key", "value", "headers").order_by("-failed_at")[:MOST_DEAD_LETTERS]
    return found
