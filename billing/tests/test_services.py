"""Accounts, deposits, invoices paid on request, facts published again."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connections
from pytest_django import Settings

from billing import selectors, services
from billing.events import InvoiceSettled
from billing.models import Account, Invoice, Transfer
from billing.tests.people import LATER, NOW, account, balance, cancel, cancelled, invoice, place, placed
from kafka_shop.databases import alias_of
from kafka_shop.ids import uuid7
from kafka_shop.messaging import envelope
from kafka_shop.messaging.envelope import FactTooLarge
from kafka_shop.messaging.models import OutboxRow

pytestmark = pytest.mark.django_db


def outbox() -> list[str]:
    """The ids of the facts on their way out, in the order in which they leave."""
    return list(OutboxRow.objects.using(alias_of("billing")).order_by("number").values_list("event_id", flat=True))


def test_a_new_account_is_empty() -> None:
    customer = uuid7()
    opened = services.open_account(customer_id=customer, currency="EUR", now=NOW)
    assert (opened.customer_id, opened.currency, opened.balance, opened.created_at) == (customer, "EUR", Decimal("0.00"), NOW)
    assert Account.objects.get(id=opened.id).balance == Decimal("0.00")


def test_the_shop_s_accounts_are_made_once_a_currency() -> None:
    for currency in ("EUR", "EUR", "USD"):
        account(currency=currency)
    shop = Account.objects.filter(customer_id=None).order_by("currency", "kind")
    assert [(each.currency, each.kind, each.balance) for each in shop] == [
        ("EUR", "cash", None),
        ("EUR", "sales", None),
        ("USD", "cash", None),
        ("USD", "sales", None),
    ]


def test_a_second_account_in_a_currency_is_refused() -> None:
    first = account("5.00")
    with pytest.raises(services.AccountExists, match="EUR"):
        account(customer=first.customer_id)
    assert account(currency="USD", customer=first.customer_id).customer_id == first.customer_id
    assert balance(first) == "5.00"


def test_an_account_in_no_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="is not the ISO 4217 code"):
        services.open_account(customer_id=uuid7(), currency="eur", now=NOW)
    assert not Account.objects.exists()


def test_a_deposit_moves_money_from_cash_to_the_customer() -> None:
    alice = account("0.00")
    transfer = services.deposit(account_id=alice.id, amount=Decimal("12.5"), now=LATER)
    assert (transfer.kind, transfer.amount, transfer.balance, transfer.currency) == ("deposit", Decimal("12.50"), Decimal("12.50"), "EUR")
    assert (transfer.debit.kind, transfer.credit, transfer.account, transfer.number) == ("cash", alice, alice, 1)
    assert (transfer.created_at, transfer.invoice) == (LATER, None)
    assert balance(alice) == "12.50"


@pytest.mark.parametrize("amount", ["0", "-1", "1.001", "1000000000"])
def test_a_deposit_that_is_no_amount_of_money_is_refused(amount: str) -> None:
    alice = account("1.00")
    with pytest.raises(ValueError, match="is not an amount"):
        services.deposit(account_id=alice.id, amount=Decimal(amount), now=NOW)
    assert balance(alice) == "1.00"


def test_a_deposit_to_no_customer_is_refused() -> None:
    account("1.00")
    for id in (uuid7(), Account.objects.get(kind="cash").id):
        with pytest.raises(Account.DoesNotExist):
            services.deposit(account_id=id, amount=Decimal("1.00"), now=NOW)


def test_the_largest_deposits_do_not_overflow_a_balance() -> None:
    alice = account("999999999.99")
    services.deposit(account_id=alice.id, amount=Decimal("999999999.99"), now=NOW)
    assert balance(alice) == "1999999999.98"


def test_an_open_invoice_is_paid_when_its_customer_asks(settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    alice = account("100.00")
    order = placed(alice.customer_id, "30.00")
    place(order)
    paid = services.pay_invoice(invoice_id=invoice(order).id, now=LATER)
    assert (paid.status, paid.settled_at, paid.account) == ("paid", LATER, alice)
    assert balance(alice) == "70.00"
    assert outbox() == [f"invoice.settled:{order.order_id}"]
    [fact] = place(order)
    assert isinstance(fact, InvoiceSettled)
    assert (fact.outcome, fact.settled_at) == ("paid", LATER)


def test_an_invoice_whose_fact_cannot_be_written_is_not_paid(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.BILLING_MODE = "on_request"
    alice = account("100.00")
    order = placed(alice.customer_id, "30.00")
    place(order)
    monkeypatch.setattr(envelope, "LARGEST_DATA_BYTES", 10)
    with pytest.raises(FactTooLarge):
        services.pay_invoice(invoice_id=invoice(order).id, now=LATER)
    assert (invoice(order).status, balance(alice)) == ("open", "100.00")


def test_an_invoice_that_its_customer_cannot_cover_stays_open_until_he_can(settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    alice = account("10.00")
    order = placed(alice.customer_id, "30.00")
    place(order)
    with pytest.raises(services.NotEnoughMoney, match="insufficient_funds"):
        services.pay_invoice(invoice_id=invoice(order).id, now=LATER)
    assert (invoice(order).status, balance(alice), outbox()) == ("open", "10.00", [])
    services.deposit(account_id=alice.id, amount=Decimal("20.00"), now=LATER)
    assert services.pay_invoice(invoice_id=invoice(order).id, now=LATER).status == "paid"
    assert balance(alice) == "0.00"


def test_an_invoice_is_paid_once_and_not_after_its_cancellation(settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    alice = account("100.00")
    paid, void, early = (placed(alice.customer_id, "30.00") for _ in range(3))
    place(paid, void)
    cancel(cancelled(void), cancelled(early))
    services.pay_invoice(invoice_id=invoice(paid).id, now=LATER)
    for order in (paid, void, early):
        with pytest.raises(services.NotOpen):
            services.pay_invoice(invoice_id=invoice(order).id, now=LATER)
    assert balance(alice) == "70.00"


def test_an_invoice_that_is_not_there_is_not_paid() -> None:
    with pytest.raises(Invoice.DoesNotExist):
        services.pay_invoice(invoice_id=uuid7(), now=NOW)


def republished(limit: int, since: datetime = NOW) -> list[str]:
    """The ids of the facts that a republication puts back, page by page."""
    cursor = services.republish(since=since, cursor=None, limit=limit, now=LATER)
    pages = 1
    while cursor is not None:
        cursor = services.republish(since=since, cursor=cursor, limit=limit, now=LATER)
        pages += 1
        assert pages < 20, "a cursor does not move"
    assert pages == len(outbox()) // limit + 1
    return outbox()


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_stored_facts_are_put_back_by_time_in_pages(limit: int, settings: Settings) -> None:
    alice = account("100.00")
    first, second, third = (placed(alice.customer_id, "40.00") for _ in range(3))
    place(first, second, third)
    cancel(cancelled(first))
    cancel(cancelled(second), at=LATER)
    settings.BILLING_MODE = "on_request"
    place(placed(alice.customer_id))
    cancel(cancelled(placed(None)))
    assert outbox() == []
    now = [f"invoice.settled:{each.order_id}" for each in sorted((first, second, third), key=lambda order: invoice(order).id)]
    now.insert(now.index(f"invoice.settled:{first.order_id}") + 1, f"invoice.refunded:{first.order_id}")
    assert republished(limit) == [*now, f"invoice.refunded:{second.order_id}"]
    assert set(OutboxRow.objects.using(alias_of("billing")).values_list("resent", flat=True)) == {True}


def test_facts_before_the_time_are_not_put_back() -> None:
    place(placed(account().customer_id))
    late = placed(account().customer_id)
    place(late, at=LATER)
    assert republished(10, since=NOW + timedelta(microseconds=1)) == [f"invoice.settled:{late.order_id}"]


def test_a_republished_fact_is_the_stored_one() -> None:
    order = placed(account().customer_id)
    facts = [*place(order), *cancel(cancelled(order), at=LATER)]
    stored = selectors.facts_after([NOW.isoformat(), str(UUID(int=0)), 0], limit=5)
    assert [fact for _, fact in stored] == facts


def test_customers_find_their_own_and_staff_finds_all_but_the_shop_s() -> None:
    alice, bob = account("10.00"), account("10.00")
    orders = [placed(alice.customer_id, "1.00"), placed(bob.customer_id, "1.00")]
    place(*orders)
    assert list(selectors.accounts(alice.customer_id)) == [alice]
    assert set(selectors.accounts(None)) == {alice, bob}
    assert list(selectors.invoices(alice.customer_id)) == [invoice(orders[0])]
    assert selectors.invoices(None).count() == 2
    assert [transfer.kind for transfer in selectors.transfers(bob.id)] == ["charge", "deposit"]


def test_billing_reads_and_writes_its_own_database_only(settings: Settings, statements: list[str]) -> None:
    assert connections[alias_of("billing")].in_atomic_block
    place(placed(account().customer_id))
    assert statements
    assert all("billing_" in sql or "SAVEPOINT" in sql or "SET LOCAL" in sql for sql in statements)
    assert Transfer.objects.count() == 2
