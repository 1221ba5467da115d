"""Which order an id belongs to, whatever it is the id of: look-ups by index only."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from billing.models import Invoice, Transfer
from consumers.models import DeadLetter
from consumers.ops.asking import Databases
from kafka_shop.databases import alias_of
from notify.models import Letter
from orders.models import Order

IDENTIFIER = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)

Look = Callable[[str, str, UUID], Iterator[object]]  # the service that is asked, what was typed, the id in it -> orders


class Found(NamedTuple):
    """The order, if somebody here knows it, and the services whose database did not answer."""

    order: UUID | None
    away: list[str]


def find(typed: str) -> Found:
    """The order of an order's, invoice's, transfer's, letter's, dead letter's or event's id."""
    databases, text = Databases(), typed.replace("\0", "").strip()
    found = IDENTIFIER.search(text)
    id, away = UUID(found[0]) if found else UUID(int=0), []
    for look, name in looks():
        answer = databases.told(orders, name, look, text, id)
        if answer:
            return Found(answer[0], [])
        away += [name] if answer is None else []
    return Found(None, sorted(set(away)))


def looks() -> Iterator[tuple[Look, str]]:
    """What to ask, and of which service."""
    own = {"orders": in_orders, "billing": in_billing, "notify": in_letters}
    yield from ((own[name], name) for name in own if name in settings.SERVICES)
    yield from ((in_dead_letters, name) for name in own if name in settings.SERVICES)


def orders(name: str, look: Look, text: str, id: UUID) -> list[UUID]:
    """What is found that is an id; a foreign subject may be anything. Raises database errors."""
    return [UUID(str(each)) for each in look(name, text, id) if IDENTIFIER.fullmatch(str(each))]


def in_orders(name: str, text: str, id: UUID) -> Iterator[object]:
    yield from Order.objects.filter(id=id).values_list("id", flat=True)


def in_billing(name: str, text: str, id: UUID) -> Iterator[object]:
    yield from Invoice.objects.filter(order_id=id).values_list("order_id", flat=True)
    yield from Invoice.objects.filter(id=id).values_list("order_id", flat=True)
    yield from Invoice.objects.filter(id__in=Transfer.objects.filter(id=id).values("invoice_id")).values_list("order_id", flat=True)


def in_letters(name: str, text: str, id: UUID) -> Iterator[object]:
    yield from Letter.objects.filter(order_id=id).values_list("order_id", flat=True)[:1]
    yield from Letter.objects.filter(id=id).values_list("order_id", flat=True)


def in_dead_letters(name: str, text: str, id: UUID) -> Iterator[object]:
    """Of one consumer: by its id, the order, or the event's id, which of a foreign producer may have any form."""
    letters = DeadLetter.objects.using(alias_of(name)).filter(consumer=name)
    yield from letters.filter(id=id).values_list("subject", flat=True)
    yield from letters.filter(subject=str(id)).values_list("subject", flat=True)[:1]
    yield from letters.filter(identity=text).values_list("subject", flat=True)
