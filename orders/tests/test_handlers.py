"""Billing's results move orders, in sets."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kafka_shop.ids import uuid7
from kafka_shop.messaging.events import Conflict, Handler, Received
from orders import services
from orders.events import OrderSettled
from orders.handlers import invoice_refunded, invoice_settled
from orders.models import Order
from orders.tests.helpers import MINUTE, NOW, many, place, refunded, settled

pytestmark = pytest.mark.usefixtures("catalogue")


def told(order: Order, outcome: Any, at: datetime, reason: str = "") -> OrderSettled:
    return OrderSettled(
        order_id=order.id,
        customer_id=order.customer_id,
        outcome=outcome,
        amount=order.total,
        currency=order.currency,
        reason=reason,
        settled_at=at,
    )


def test_a_paid_invoice_makes_the_order_paid_and_its_customer_hears_of_it() -> None:
    order = place()
    assert invoice_settled.handle([settled(order)]) == [told(order, "paid", NOW + MINUTE)]
    stored = Order.objects.get()
    assert (stored.status, stored.paid_at, stored.settled_at, stored.reason) == ("paid", NOW + MINUTE, NOW + MINUTE, "")
    assert (stored.settled_partition, stored.settled_offset) == (1, 7)


def test_a_declined_invoice_makes_the_order_rejected_with_its_reason() -> None:
    order = place()
    assert invoice_settled.handle([settled(order, "declined")]) == [told(order, "rejected", NOW + MINUTE, "insufficient_funds")]
    stored = Order.objects.get()
    assert (stored.status, stored.rejected_at, stored.reason, stored.paid_at) == ("rejected", NOW + MINUTE, "insufficient_funds", None)


def test_a_refund_of_a_cancelled_order_is_told_once_more_than_the_cancellation() -> None:
    order = place()
    invoice_settled.handle([settled(order)])
    services.cancel_order(order_id=order.id, now=NOW + 2 * MINUTE)
    assert invoice_refunded.handle([refunded(order)]) == [told(order, "refunded", NOW + 3 * MINUTE)]
    stored = Order.objects.get()
    assert (stored.status, stored.cancelled_at, stored.refunded_at) == ("cancelled", NOW + 2 * MINUTE, NOW + 3 * MINUTE)
    assert (stored.settled_offset, stored.refunded_partition, stored.refunded_offset) == (7, 0, 9)


@pytest.mark.parametrize("paid", [False, True])
def test_a_refund_cancels_an_order_that_nobody_had_cancelled(paid: bool) -> None:
    order = place()
    if paid:
        invoice_settled.handle([settled(order)])
    at = NOW + 3 * MINUTE
    assert invoice_refunded.handle([refunded(order)]) == [told(order, "cancelled", at), told(order, "refunded", at)]
    stored = Order.objects.get()
    assert (stored.status, stored.cancelled_at, stored.refunded_at) == ("cancelled", at, at)


def test_a_payment_that_finds_the_order_cancelled_is_kept_and_told_to_nobody() -> None:
    order = place()
    services.cancel_order(order_id=order.id, now=NOW)
    assert invoice_settled.handle([settled(order)]) == []
    stored = Order.objects.get()
    assert (stored.status, stored.paid_at, stored.late_paid_at) == ("cancelled", None, NOW + MINUTE)


def test_a_refusal_that_finds_the_order_cancelled_changes_nothing() -> None:
    order = place()
    services.cancel_order(order_id=order.id, now=NOW)
    before = Order.objects.values().get()
    assert invoice_settled.handle([settled(order, "declined")]) == []
    assert Order.objects.values().get() == before


def test_a_known_event_changes_nothing_and_tells_its_stored_fact_again() -> None:
    order = place()
    first = [*invoice_settled.handle([settled(order)]), *invoice_refunded.handle([refunded(order)])]
    before = Order.objects.values().get()
    later = NOW + timedelta(days=1)
    again = invoice_settled.handle([settled(order, at=later, offset=80)]), invoice_refunded.handle([refunded(order, at=later, offset=90)])
    assert [*again[0], *again[1]] == first
    assert Order.objects.values().get() == before


def test_an_event_that_comes_twice_in_a_batch_is_told_once() -> None:
    order = place()
    facts = invoice_settled.handle([settled(order), settled(order, offset=8)])
    assert facts == [told(order, "paid", NOW + MINUTE)]
    assert Order.objects.get().settled_offset == 7


def test_a_batch_gives_each_order_its_own_result() -> None:
    paid, rejected, cancelled = place(), place(), place()
    services.cancel_order(order_id=cancelled.id, now=NOW)
    facts = invoice_settled.handle([settled(rejected, "declined"), settled(cancelled), settled(paid)])
    assert [fact.id for fact in facts] == [f"order.settled:{rejected.id}:rejected", f"order.settled:{paid.id}:paid"]
    assert [Order.objects.get(id=order.id).status for order in (paid, rejected, cancelled)] == ["paid", "rejected", "cancelled"]


@pytest.mark.parametrize("count", [1, 500])
@pytest.mark.parametrize(("handle", "event"), [(invoice_settled.handle, settled), (invoice_refunded.handle, refunded)])
def test_a_batch_takes_two_statements_whatever_its_size(statements: list[str], handle: Handler, event: Any, count: int) -> None:
    events = [event(order) for order in many(count)]
    del statements[:]
    assert len(handle([*events, *events])) >= count
    assert len(statements) == 2
    del statements[:]
    handle(events)
    assert len(statements) == 1  # nothing to write


def test_no_events_are_no_work() -> None:
    assert invoice_settled.handle([]) == []


@pytest.mark.parametrize(
    "changes",
    [{"order_id": uuid7()}, {"amount": Decimal("0.01")}, {"currency": "USD"}, {"customer_id": uuid7()}],
    ids=["order", "amount", "currency", "customer"],
)
@pytest.mark.parametrize(("handle", "event"), [(invoice_settled.handle, settled), (invoice_refunded.handle, refunded)])
def test_an_invoice_of_another_order_is_a_conflict_and_changes_nothing(handle: Handler, event: Any, changes: dict[str, Any]) -> None:
    good, bad = place(), place()
    events: list[Received[Any]] = [event(good), event(bad, **changes)]
    with pytest.raises(Conflict, match=str(changes.get("order_id", bad.id))):
        handle(events)
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}


def test_a_payment_of_a_rejected_order_is_a_conflict() -> None:
    order = place()
    invoice_settled.handle([settled(order, "declined")])
    with pytest.raises(Conflict, match=str(order.id)):
        invoice_settled.handle([settled(order)])
    assert Order.objects.get().status == "rejected"
