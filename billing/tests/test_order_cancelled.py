"""order.cancelled: void, refunded or as it was; never charged afterwards."""

from decimal import Decimal

import pytest
from pytest_django import Settings

from billing.events import InvoiceRefunded
from billing.models import Account, Invoice, Transfer
from billing.tests.people import LATER, NOW, account, balance, cancel, cancelled, invoice, place, placed
from kafka_shop.ids import uuid7
from kafka_shop.messaging.events import Conflict
from orders.events import OrderCancelled

pytestmark = pytest.mark.django_db


def test_a_paid_order_gets_its_money_back_and_states_it() -> None:
    alice = account("100.00")
    order = placed(alice.customer_id, "30.00")
    place(order)
    [fact] = cancel(cancelled(order), at=LATER)
    bill = invoice(order)
    assert balance(alice) == "100.00"
    assert fact == InvoiceRefunded(
        order_id=order.order_id,
        customer_id=order.customer_id,
        invoice_id=bill.id,
        amount=Decimal("30.00"),
        currency="EUR",
        refunded_at=LATER,
    )
    assert (bill.status, bill.outcome, bill.settled_at, bill.refunded_at) == ("refunded", "paid", NOW, LATER)
    assert (bill.cancelled_partition, bill.cancelled_offset, bill.partition, bill.offset) == (2, 20, 1, 10)


def test_a_refund_moves_money_from_sales_to_the_account_that_was_charged() -> None:
    alice = account("100.00")
    account("100.00", currency="USD", customer=alice.customer_id)
    order = placed(alice.customer_id, "30.00")
    place(order)
    cancel(cancelled(order))
    refund = Transfer.objects.get(kind="refund")
    assert (refund.debit, refund.credit, refund.account) == (Account.objects.get(kind="sales", currency="EUR"), alice, alice)
    assert (refund.number, refund.amount, refund.balance, refund.invoice) == (3, Decimal("30.00"), Decimal("100.00"), invoice(order))


def test_a_refund_happens_once_and_is_stated_again() -> None:
    alice = account("100.00")
    order = placed(alice.customer_id)
    place(order)
    first = cancel(cancelled(order), cancelled(order))
    assert cancel(cancelled(order), at=LATER) == first
    assert len(first) == 1
    assert balance(alice) == "100.00"


def test_many_refunds_to_one_account_in_one_batch() -> None:
    alice = account("100.00")
    orders = [placed(alice.customer_id, "3.00") for _ in range(40)]
    place(*orders)
    facts = cancel(*map(cancelled, orders))
    assert len(facts) == 33
    assert balance(alice) == "100.00"
    numbers = Transfer.objects.filter(account=alice).order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 68))


def test_a_declined_order_stays_declined_and_states_nothing() -> None:
    order = placed(account("1.00").customer_id)
    place(order)
    assert cancel(cancelled(order)) == []
    assert (invoice(order).status, invoice(order).voided_at) == ("declined", None)


def test_an_open_invoice_becomes_void(settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    order = placed(account().customer_id)
    place(order)
    assert cancel(cancelled(order), at=LATER) == []
    assert (invoice(order).status, invoice(order).voided_at, invoice(order).amount) == ("void", LATER, Decimal("30.00"))


def test_a_cancelled_order_that_is_not_known_gets_a_void_invoice() -> None:
    order = placed(None)
    assert cancel(cancelled(order)) == []
    bill = invoice(order)
    assert (bill.status, bill.amount, bill.currency, bill.applied_at) == ("void", None, "", None)
    assert (bill.cancelled_partition, bill.cancelled_offset) == (2, 20)


@pytest.mark.parametrize("mode", ["auto", "on_request"])
def test_an_order_placed_after_its_cancellation_fills_in_and_is_never_charged(mode: str, settings: Settings) -> None:
    settings.BILLING_MODE = mode
    alice = account("100.00")
    order = placed(alice.customer_id)
    cancel(cancelled(order))
    assert place(order, at=LATER) == []
    assert place(order) == []
    assert cancel(cancelled(order)) == []
    bill = invoice(order)
    assert (bill.status, bill.amount, bill.currency, bill.voided_at, bill.applied_at) == ("void", Decimal("30.00"), "EUR", NOW, LATER)
    assert (bill.partition, bill.offset, bill.cancelled_offset) == (1, 10, 20)
    assert balance(alice) == "100.00"
    assert not Transfer.objects.filter(kind="charge").exists()


def test_a_cancellation_by_another_customer_is_a_conflict_and_changes_nothing() -> None:
    alice = account("100.00")
    order = placed(alice.customer_id)
    place(order)
    with pytest.raises(Conflict, match=str(order.order_id)):
        cancel(OrderCancelled(order_id=order.order_id, customer_id=uuid7(), cancelled_at=NOW))
    assert (invoice(order).status, balance(alice)) == ("paid", "70.00")


def test_an_order_placed_by_another_customer_than_it_was_cancelled_by_is_a_conflict() -> None:
    order = placed(None)
    cancel(OrderCancelled(order_id=order.order_id, customer_id=uuid7(), cancelled_at=NOW))
    with pytest.raises(Conflict):
        place(order)
    assert Invoice.objects.get().amount is None


def test_a_batch_of_everything_at_once(settings: Settings) -> None:
    alice = account("100.00")
    paid, refused, unknown = placed(alice.customer_id, "60.00"), placed(alice.customer_id, "60.00"), placed(alice.customer_id, "1.00")
    place(paid, refused)
    settings.BILLING_MODE = "on_request"
    waiting = placed(alice.customer_id, "2.00")
    place(waiting)
    facts = cancel(*map(cancelled, [unknown, waiting, refused, paid]))
    assert [fact.order_id for fact in facts] == [paid.order_id]
    assert [invoice(order).status for order in (paid, refused, unknown, waiting)] == ["refunded", "declined", "void", "void"]
    assert balance(alice) == "100.00"
