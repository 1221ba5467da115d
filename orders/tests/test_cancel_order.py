"""A customer cancels: at once when pending or paid, never otherwise."""

from datetime import timedelta

import pytest

from kafka_shop.ids import uuid7
from kafka_shop.messaging import envelope
from kafka_shop.messaging.envelope import FactTooLarge
from orders import services
from orders.errors import NotCancellable
from orders.events import OrderCancelled, OrderSettled
from orders.handlers import invoice_refunded, invoice_settled
from orders.models import Order
from orders.tests.helpers import MINUTE, NOW, empty_outbox, outbox, place, refunded, settled

pytestmark = pytest.mark.usefixtures("catalogue")
LATER = NOW + 2 * MINUTE


@pytest.mark.parametrize("paid", [False, True])
def test_a_pending_or_a_paid_order_is_cancelled_at_once(paid: bool) -> None:
    order = place()
    if paid:
        invoice_settled.handle([settled(order)])
    cancelled = services.cancel_order(order_id=order.id, now=LATER)
    stored = Order.objects.get()
    assert (cancelled.status, stored.status, stored.cancelled_at, stored.settled_at) == ("cancelled", "cancelled", LATER, LATER)
    assert (stored.paid_at is not None) == paid


def test_an_order_whose_fact_cannot_be_written_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    order = place()
    monkeypatch.setattr(envelope, "LARGEST_DATA_BYTES", 10)
    with pytest.raises(FactTooLarge):
        services.cancel_order(order_id=order.id, now=LATER)
    assert Order.objects.get().status == "pending"


def test_the_number_of_a_fact_is_drawn_after_the_lock_of_its_order(statements: list[str]) -> None:
    order = place()
    statements.clear()
    services.cancel_order(order_id=order.id, now=LATER)
    [lock] = [place for place, sql in enumerate(statements) if "FOR UPDATE" in sql]
    [fact] = [place for place, sql in enumerate(statements) if "INSERT INTO messaging_outboxrow" in sql]
    assert lock < fact


def test_a_cancellation_asks_billing_for_the_money_back_and_tells_the_customer() -> None:
    order = place()
    empty_outbox()
    services.cancel_order(order_id=order.id, now=LATER)
    id, customer_id = order.id, order.customer_id
    assert outbox() == [
        OrderCancelled(order_id=id, customer_id=customer_id, cancelled_at=LATER),
        OrderSettled(order_id=id, customer_id=customer_id, outcome="cancelled", amount=order.total, currency="EUR", settled_at=LATER),
    ]


def test_a_rejected_order_cannot_be_cancelled() -> None:
    order = place()
    invoice_settled.handle([settled(order, "declined")])
    empty_outbox()
    with pytest.raises(NotCancellable, match="rejected"):
        services.cancel_order(order_id=order.id, now=LATER)
    assert Order.objects.get().status == "rejected"
    assert not outbox()


@pytest.mark.parametrize("by_refund", [False, True])
def test_an_order_is_not_cancelled_twice(by_refund: bool) -> None:
    order = place()
    if by_refund:
        invoice_refunded.handle([refunded(order)])
    else:
        services.cancel_order(order_id=order.id, now=LATER)
    before = Order.objects.get().cancelled_at
    empty_outbox()
    with pytest.raises(NotCancellable, match="cancelled"):
        services.cancel_order(order_id=order.id, now=LATER + timedelta(days=1))
    assert Order.objects.get().cancelled_at == before
    assert not outbox()


def test_an_order_that_does_not_exist_cannot_be_cancelled() -> None:
    with pytest.raises(Order.DoesNotExist):
        services.cancel_order(order_id=uuid7(), now=LATER)


def test_a_cancelled_order_comes_with_its_lines() -> None:
    order = services.cancel_order(order_id=place(items=[("TEA-001", 1), ("MUG-001", 2)]).id, now=LATER)
    assert [(line.product, line.quantity) for line in order.lines.all()] == [("TEA-001", 1), ("MUG-001", 2)]
