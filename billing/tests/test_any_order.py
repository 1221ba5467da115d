"""Order of delivery is a courtesy: any order and any number of one order's events end in the same money and the same state."""

from collections.abc import Iterator
from itertools import groupby, product

import pytest
from pytest_django import Settings

from billing import audit
from billing.models import Transfer
from billing.tests.people import account, balance, cancel, cancelled, invoice, place, placed
from kafka_shop.databases import alias_of
from kafka_shop.messaging.events import Event
from orders.events import OrderPlaced

pytestmark = pytest.mark.django_db
DELIVERIES = ["".join(events) for length in range(1, 6) for events in product("PC", repeat=length)]
TOGETHER, APART = True, False
FIRST_DECIDES = {  # which was first, what of it and the other arrived: the state, by (mode, rich)
    "P": {("auto", True): "paid", ("auto", False): "declined", ("on_request", True): "open", ("on_request", False): "open"},
    "PC": {("auto", True): "refunded", ("auto", False): "declined", ("on_request", True): "void", ("on_request", False): "void"},
    "C": dict.fromkeys(product(["auto", "on_request"], [True, False]), "void"),
    "CP": dict.fromkeys(product(["auto", "on_request"], [True, False]), "void"),
}


def deliver(order: OrderPlaced, events: str, together: bool) -> Iterator[Event]:
    """Hands the events to their handlers, neighbours of one type in one batch or each alone, and gives every fact that came of it."""
    batches = ["".join(group) for _, group in groupby(events)] if together else list(events)
    for batch in batches:
        yield from place(*[order] * len(batch)) if batch[0] == "P" else cancel(*[cancelled(order)] * len(batch))


@pytest.mark.parametrize("together", [TOGETHER, APART])
@pytest.mark.parametrize("rich", [True, False])
@pytest.mark.parametrize("mode", ["auto", "on_request"])
def test_any_deliveries_of_one_order_end_alike(mode: str, rich: bool, together: bool, settings: Settings) -> None:
    settings.BILLING_MODE = mode
    for events in DELIVERIES:
        alice = account("100.00" if rich else "10.00")
        order = placed(alice.customer_id, "30.00")
        facts = list(deliver(order, events, together))
        first_seen = "".join(dict.fromkeys(events))
        status = FIRST_DECIDES[first_seen][mode, rich]
        assert (events, invoice(order).status) == (events, status)
        assert (events, balance(alice)) == (events, "70.00" if status == "paid" else "100.00" if rich else "10.00")
        assert (events, Transfer.objects.filter(account=alice, kind="charge").count()) == (events, int(status in {"paid", "refunded"}))
        assert len({(fact.id, fact) for fact in facts}) == len({fact.id for fact in facts}), "a fact was stated in two ways"
    assert list(audit.check(alias_of("billing"))) == []


@pytest.mark.parametrize("events", ["PCP", "PCC", "PPCPC"])
def test_every_delivery_of_a_refunded_order_states_its_fact(events: str) -> None:
    order = placed(account("100.00").customer_id)
    facts = list(deliver(order, events, APART))
    assert [fact.id.split(":")[0] for fact in facts] == ["invoice.settled" if event == "P" else "invoice.refunded" for event in events]
