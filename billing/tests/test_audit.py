"""The audit of the ledger: clean after everything the services do, and not after anything else."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from billing import audit, services
from billing.models import Account, Transfer
from billing.tests.people import NOW, account, cancel, cancelled, place, placed
from kafka_shop.databases import alias_of, rows, run
from kafka_shop.findings import Finding
from kafka_shop.ids import uuid7

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(settings: Settings) -> None:
    """Two customers, one with two accounts; orders paid, declined, refunded, void and open."""
    alice, bob = account("100.00"), account("55.00")
    account("70.00", currency="USD", customer=alice.customer_id)
    orders = [placed(who.customer_id, amount) for who in (alice, bob) for amount in ("30.00", "20.00", "30.00", "60.00")]
    cancel(cancelled(orders[3]))
    place(*orders, placed(alice.customer_id, "7.00", currency="USD"))
    cancel(cancelled(orders[0]), cancelled(placed(None)))
    settings.BILLING_MODE = "on_request"
    place(placed(bob.customer_id))


def findings() -> list[Finding]:
    return list(audit.check(alias_of("billing")))


def checks() -> set[str]:
    return {finding.check for finding in findings()}


def tamper(sql: str, *params: object) -> None:
    """Changes the ledger as somebody does who owns the database: no trigger and no key holds him."""
    run(alias_of("billing"), "SET LOCAL session_replication_role = replica")
    assert run(alias_of("billing"), sql, *params) != 0, "nothing was tampered with"
    run(alias_of("billing"), "SET LOCAL session_replication_role = origin")


def charge() -> Transfer:
    """A charge in the middle of its account's statement."""
    return Transfer.objects.filter(kind="charge", number=2).order_by("id")[0]


def test_an_honest_ledger_is_clean() -> None:
    assert findings() == []
    assert {bill.status for bill in audit.invoices(alias_of("billing"))} == {"paid", "declined", "refunded", "void", "open"}


def test_invoices_come_sorted_by_order() -> None:
    orders = [bill.order_id for bill in audit.invoices(alias_of("billing"))]
    assert orders == sorted(orders)
    assert len(orders) == 11


def test_the_facts_that_were_published_are_those_that_the_invoices_state() -> None:
    run(alias_of("billing"), "DELETE FROM messaging_outboxrow")
    assert services.republish(since=NOW - timedelta(days=1), cursor=None, limit=1000, now=NOW) is None
    stated = [(destination, id) for destination, id, *_ in rows(alias_of("billing"), audit.PUBLISHED)]
    assert sorted(stated) == sorted(rows(alias_of("billing"), "SELECT destination, event_id FROM messaging_outboxrow"))
    assert len(stated) == 9


def test_it_tells_which_facts_have_had_their_effect() -> None:
    told = {"open": ["placed"], "paid": ["placed"], "declined": ["placed", "cancelled"], "void": ["placed", "cancelled"]}
    told["refunded"] = ["placed", "cancelled"]
    invoices = [(bill.order_id, bill.status, bill.amount) for bill in audit.invoices(alias_of("billing"))]
    asked = [(order, what) for order, _, _ in invoices for what in ("placed", "cancelled")]
    known = {(order, what) for order, status, amount in invoices for what in told[status] if what == "cancelled" or amount is not None}
    assert audit.applied(alias_of("billing"), [*asked, (uuid7(), "placed")]) == known


def test_a_cent_more_in_a_transfer_is_found() -> None:
    tamper("UPDATE billing_transfer SET amount = amount + 0.01 WHERE id = %s", charge().id)
    assert checks() == {"I2", "I3", "I4"}


def test_a_cent_more_in_a_deposit_is_found() -> None:
    tamper("UPDATE billing_transfer SET amount = amount + 0.01 WHERE kind = 'deposit' AND currency = 'USD'")
    assert checks() == {"I3", "I4"}


def test_a_cent_more_in_a_running_balance_is_found() -> None:
    tamper("UPDATE billing_transfer SET balance = balance + 0.01 WHERE id = %s", charge().id)
    assert checks() == {"I3"}


def test_a_cent_more_in_an_account_is_found() -> None:
    tamper("UPDATE billing_account SET balance = balance + 0.01 WHERE id = %s", charge().account_id)
    assert {(finding.check, finding.subject) for finding in findings()} == {("I3", "EUR"), ("I4", str(charge().account_id))}


def test_a_cent_moved_between_two_accounts_is_found() -> None:
    alice, bob = Account.objects.filter(kind="customer", currency="EUR")
    tamper(
        "UPDATE billing_account SET balance = balance + CASE id WHEN %s THEN 0.01 ELSE -0.01 END WHERE id IN (%s, %s)",
        alice.id,
        alice.id,
        bob.id,
    )
    assert checks() == {"I4"}


@pytest.mark.parametrize("kind", ["deposit", "charge", "refund"])
def test_a_deleted_transfer_is_found(kind: str) -> None:
    tamper("DELETE FROM billing_transfer WHERE id = %s", Transfer.objects.filter(kind=kind).order_by("id")[0].id)
    assert {"I3", "I4"} <= checks()


def test_the_deleted_end_of_a_statement_is_found_although_the_balance_was_set_to_fit() -> None:
    last = Transfer.objects.get(kind="charge", currency="USD")
    tamper("DELETE FROM billing_transfer WHERE id = %s", last.id)
    tamper("UPDATE billing_account SET balance = balance + %s WHERE id = %s", last.amount, last.account_id)
    assert checks() == {"I2", "I4"}


def test_two_swapped_transfers_are_found() -> None:
    first, second = Transfer.objects.filter(account=charge().account_id, number__in=[2, 3]).order_by("number")
    tamper("UPDATE billing_transfer SET number = 99 WHERE id = %s", first.id)
    tamper("UPDATE billing_transfer SET number = 2 WHERE id = %s", second.id)
    tamper("UPDATE billing_transfer SET number = 3 WHERE id = %s", first.id)
    assert checks() == {"I3"}


def test_two_swapped_amounts_are_found() -> None:
    first, second = Transfer.objects.filter(account=charge().account_id, number__in=[2, 3]).order_by("number")
    swap = "UPDATE billing_transfer SET amount = CASE id WHEN %s THEN %s ELSE %s END WHERE id IN (%s, %s)"
    tamper(swap, first.id, second.amount, first.amount, first.id, second.id)
    assert checks() == {"I2", "I3"}


def test_two_swapped_invoices_are_found() -> None:
    first, second = Transfer.objects.filter(account=charge().account_id, number__in=[2, 3]).order_by("number")
    tamper("UPDATE billing_transfer SET invoice_id = %s WHERE id = %s", uuid7(), first.id)
    tamper("UPDATE billing_transfer SET invoice_id = %s WHERE id = %s", first.invoice_id, second.id)
    tamper("UPDATE billing_transfer SET invoice_id = %s WHERE id = %s", second.invoice_id, first.id)
    assert checks() == {"I2"}


def test_an_order_that_is_charged_twice_is_found() -> None:
    tamper("ALTER TABLE billing_transfer DROP CONSTRAINT transfer_once_an_invoice")
    first, second = Transfer.objects.filter(account=charge().account_id, number__in=[2, 3]).order_by("number")
    tamper("UPDATE billing_transfer SET invoice_id = %s WHERE id = %s", first.invoice_id, second.id)
    assert first.invoice is not None
    assert Finding("I2", str(first.invoice.order_id), "it is charged 2 times") in findings()


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'paid', account_id = (SELECT id FROM billing_account LIMIT 1), reason = '' WHERE outcome = 'declined'",
        "refunded_at = settled_at WHERE outcome = 'paid' AND refunded_at IS NULL",
        "refunded_at = NULL WHERE refunded_at IS NOT NULL",
        "outcome = 'declined', account_id = NULL, reason = 'no_account' WHERE outcome = 'paid' AND refunded_at IS NULL",
        "amount = amount - 0.01 WHERE outcome = 'paid'",
        "currency = 'CHF' WHERE outcome = 'paid'",
    ],
)
def test_an_invoice_that_its_transfers_do_not_explain_is_found(change: str) -> None:
    tamper(f"UPDATE billing_invoice SET {change}")
    assert checks() == {"I2"}


def test_a_deleted_invoice_is_found() -> None:
    tamper("DELETE FROM billing_invoice WHERE id = %s", charge().invoice_id)
    assert checks() == {"I2"}


def test_a_deleted_account_is_found() -> None:
    tamper("DELETE FROM billing_account WHERE id = %s", charge().account_id)
    assert checks() == {"I3"}


@pytest.mark.parametrize("side", ["debit_id", "credit_id", "account_id"])
def test_an_account_that_is_not_there_is_found(side: str) -> None:
    tamper("ALTER TABLE billing_transfer DROP CONSTRAINT transfer_kind_makes_sense")
    tamper(f"UPDATE billing_transfer SET {side} = %s WHERE id = %s", uuid7(), charge().id)
    assert "I3" in checks()


def test_a_transfer_in_another_currency_than_its_accounts_is_found() -> None:
    tamper("UPDATE billing_transfer SET currency = 'CHF' WHERE id = %s", charge().id)
    assert checks() == {"I2", "I3"}


def test_a_charge_that_went_to_cash_is_found() -> None:
    tamper("UPDATE billing_transfer SET credit_id = %s WHERE id = %s", Account.objects.get(kind="cash", currency="EUR").id, charge().id)
    assert checks() == {"I3"}


def test_a_balance_below_zero_is_found() -> None:
    tamper("ALTER TABLE billing_account DROP CONSTRAINT account_balance_not_below_zero")
    tamper("UPDATE billing_account SET balance = -1 WHERE id = %s", charge().account_id)
    assert checks() == {"I3", "I4"}
