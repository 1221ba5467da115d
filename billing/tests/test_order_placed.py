"""order.placed: what it costs the customer, what becomes of it, and what does not happen."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError
from pytest_django import Settings

from billing.events import InvoiceSettled
from billing.models import Account, Invoice, Transfer
from billing.tests.people import LATER, NOW, account, balance, cancel, cancelled, invoice, place, placed
from kafka_shop.ids import uuid7
from kafka_shop.messaging.events import Conflict

pytestmark = pytest.mark.django_db


def test_a_paid_order_takes_its_amount_and_states_it() -> None:
    alice = account("100.00")
    order = placed(alice.customer_id, "30.50")
    [fact] = place(order)
    bill = invoice(order)
    assert balance(alice) == "69.50"
    assert fact == InvoiceSettled(
        order_id=order.order_id,
        customer_id=order.customer_id,
        invoice_id=bill.id,
        amount=Decimal("30.50"),
        currency="EUR",
        outcome="paid",
        settled_at=NOW,
    )


def test_a_charge_moves_money_from_the_customer_to_sales() -> None:
    alice = account("100.00")
    order = placed(alice.customer_id, "30.00")
    place(order)
    charge = Transfer.objects.get(kind="charge")
    assert (charge.debit, charge.credit, charge.account) == (alice, Account.objects.get(kind="sales", currency="EUR"), alice)
    assert (charge.number, charge.amount, charge.balance, charge.currency) == (2, Decimal("30.00"), Decimal("70.00"), "EUR")
    assert (charge.invoice, charge.created_at) == (invoice(order), NOW)


def test_an_invoice_keeps_where_its_event_was_read_and_when_it_was_applied() -> None:
    order = placed(account().customer_id)
    place(order)
    bill = invoice(order)
    assert (bill.partition, bill.offset, bill.applied_at, bill.opened_at) == (1, 10, NOW, NOW)


@pytest.mark.parametrize(
    ("currency", "amount", "reason"),
    [("EUR", "100.01", "insufficient_funds"), ("USD", "1.00", "wrong_currency"), ("USD", "500.00", "wrong_currency")],
)
def test_a_refused_order_takes_no_money(currency: str, amount: str, reason: str) -> None:
    alice = account("100.00")
    order = placed(alice.customer_id, amount, currency=currency)
    [fact] = place(order)
    assert isinstance(fact, InvoiceSettled)
    assert (fact.outcome, fact.reason) == ("declined", reason)
    assert (invoice(order).status, invoice(order).reason) == ("declined", reason)
    assert balance(alice) == "100.00"
    assert not Transfer.objects.filter(kind="charge").exists()


def test_an_order_of_a_customer_without_an_account_is_refused() -> None:
    [fact] = place(placed(None))
    assert isinstance(fact, InvoiceSettled)
    assert (fact.outcome, fact.reason) == ("declined", "no_account")


def test_the_last_cent_can_be_spent() -> None:
    alice = account("30.00")
    place(placed(alice.customer_id, "30.00"))
    assert balance(alice) == "0.00"


def test_the_account_in_the_order_s_currency_pays() -> None:
    euros = account("100.00")
    dollars = account("100.00", currency="USD", customer=euros.customer_id)
    place(placed(euros.customer_id, "30.00", currency="USD"), placed(euros.customer_id, "5.00"))
    assert (balance(euros), balance(dollars)) == ("95.00", "70.00")


def test_a_hot_customer_is_charged_in_order_until_the_money_is_gone() -> None:
    alice = account("100.00")
    orders = [placed(alice.customer_id, "3.00") for _ in range(500)]
    facts = place(*orders)
    assert [fact.order_id for fact in facts] == [order.order_id for order in orders]
    assert [fact.outcome for fact in facts if isinstance(fact, InvoiceSettled)] == ["paid"] * 33 + ["declined"] * 467
    assert balance(alice) == "1.00"
    charges = Transfer.objects.filter(kind="charge").order_by("number")
    assert [(charge.number, charge.balance) for charge in charges] == [(2 + n, Decimal(97 - 3 * n)) for n in range(33)]


def test_a_smaller_order_after_a_refused_one_is_still_paid() -> None:
    alice = account("100.00")
    facts = place(placed(alice.customer_id, "90.00"), placed(alice.customer_id, "20.00"), placed(alice.customer_id, "10.00"))
    assert [fact.outcome for fact in facts if isinstance(fact, InvoiceSettled)] == ["paid", "declined", "paid"]
    assert balance(alice) == "0.00"


def test_a_duplicate_in_one_batch_is_charged_once() -> None:
    alice = account("100.00")
    order = placed(alice.customer_id)
    facts = place(order, placed(alice.customer_id, "1.00"), order)
    assert len(facts) == 2
    assert balance(alice) == "69.00"


def test_a_known_order_states_its_fact_again_and_changes_nothing() -> None:
    alice = account("100.00")
    paid, declined = placed(alice.customer_id, "30.00"), placed(alice.customer_id, "100.00")
    first = place(paid, declined)
    before = list(Invoice.objects.values().order_by("id"))
    account("500.00", currency="USD", customer=alice.customer_id)
    assert place(declined, paid, at=LATER) == [first[1], first[0]]
    assert list(Invoice.objects.values().order_by("id")) == before
    assert balance(alice) == "70.00"


def test_a_refunded_order_still_states_that_it_was_paid() -> None:
    order = placed(account().customer_id)
    first = place(order)
    cancel(cancelled(order))
    assert place(order, at=LATER) == first


@pytest.mark.parametrize("field", ["amount", "currency", "customer_id"])
@pytest.mark.parametrize("known", [True, False])
def test_an_order_told_in_two_ways_is_a_conflict_and_takes_nothing(field: str, known: bool) -> None:
    alice = account("100.00")
    order = placed(alice.customer_id, "30.00")
    other = placed(
        uuid7() if field == "customer_id" else alice.customer_id,
        "31.00" if field == "amount" else "30.00",
        currency="USD" if field == "currency" else "EUR",
        order=order.order_id,
    )
    if known:
        place(order)
    with pytest.raises(Conflict, match=str(order.order_id)):
        place(*([] if known else [order]), other)
    assert balance(alice) == ("70.00" if known else "100.00")


@pytest.mark.parametrize("amount", ["0", "-1", "1.001", "1000000000.00", "NaN", "Infinity"])
def test_an_amount_that_is_no_money_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        place(placed(None, amount))
    assert not Invoice.objects.exists()


def test_a_currency_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is not the ISO 4217 code"):
        place(placed(None, currency='E"}'))


def test_an_amount_without_places_is_stated_with_two_again_and_again() -> None:
    order = placed(account().customer_id, "30")
    first, again = place(order), place(order)
    assert isinstance(first[0], InvoiceSettled)
    assert str(first[0].amount) == "30.00"
    assert first == again


def test_on_request_an_order_opens_an_invoice_and_waits(settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    alice = account("100.00")
    order = placed(alice.customer_id)
    assert place(order) == []
    assert (invoice(order).status, invoice(order).settled_at) == ("open", None)
    assert balance(alice) == "100.00"


def test_the_mode_is_decided_when_the_invoice_is_made(settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    alice = account("100.00")
    order = placed(alice.customer_id)
    place(order)
    settings.BILLING_MODE = "auto"
    assert place(order) == []
    assert (invoice(order).status, balance(alice)) == ("open", "100.00")


def test_a_lost_race_is_a_unique_violation_for_the_engine_to_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    order = placed(account().customer_id)
    place(order)
    monkeypatch.setattr("billing.ledger.lock_invoices", lambda _: {})
    with pytest.raises(IntegrityError) as caught:
        place(order)
    assert getattr(caught.value.__cause__, "sqlstate", None) == "23505"


def test_settled_facts_of_a_batch_have_the_batch_s_time() -> None:
    order = placed(account().customer_id)
    [fact] = place(order, at=NOW + timedelta(microseconds=1))
    assert fact.time == NOW + timedelta(microseconds=1)
