"""Sessions at the same time: no deadlock, no lost update, one end."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connections
from pytest_django import Settings

from billing import audit, services
from billing.models import Account, Invoice, Transfer
from billing.tests.people import NOW, account, balance, cancel, cancelled, invoice, place, placed
from kafka_shop.databases import alias_of, limited_transaction, rows, run
from kafka_shop.ids import uuid7

pytestmark = pytest.mark.usefixtures("committed")
BILLING = alias_of("billing")
DEADLINE_SECONDS = 10


@contextmanager
def sessions(count: int) -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Submits work to threads, each with a database session of its own that ends with the work."""

    def alone(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        yield lambda work: pool.submit(alone, work)


def wait_until_blocked(count: int = 1) -> None:
    """Waits until so many sessions wait for a lock."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while rows(BILLING, "SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0] < count:
        assert time.monotonic() < deadline, "nobody waits for a lock"


def clean() -> bool:
    return list(audit.check(BILLING)) == []


def test_deposits_at_the_same_time_are_all_kept() -> None:
    alice = account("0.00")
    with sessions(8) as submit:
        for done in [submit(lambda: services.deposit(account_id=alice.id, amount=Decimal("1.25"), now=NOW)) for _ in range(40)]:
            done.result()
    assert balance(alice) == "50.00"
    assert clean()


def test_deposits_charges_and_refunds_at_the_same_time_are_all_kept() -> None:
    customers = [account("100.00") for _ in range(4)]
    known = [placed(each.customer_id, "5.00") for each in customers * 3]
    place(*known)
    with sessions(6) as submit:
        work: list[Callable[[], Any]] = []
        for turn in range(6):
            step = 1 if turn % 2 else -1
            work.append(lambda step=step: place(*[placed(each.customer_id, "1.00") for each in customers[::step] * 5]))  # type: ignore[misc]
            work.append(lambda step=step: cancel(*map(cancelled, known[::step])))  # type: ignore[misc]
            work += [lambda each=each: services.deposit(account_id=each.id, amount=Decimal("2.00"), now=NOW) for each in customers]  # type: ignore[misc]
        for done in [submit(each) for each in work]:
            done.result()
    assert {balance(each) for each in customers} == {"82.00"}
    assert clean()


@pytest.mark.parametrize("handler", ["placed", "cancelled"])
def test_accounts_are_locked_by_id_whatever_the_order_of_events(handler: str) -> None:
    low, high = sorted((uuid7(), uuid7()))
    owners = {id: uuid7() for id in (high, low)}  # the higher one lies first in the table
    account("1.00")
    for id, customer in owners.items():
        Account.objects.create(id=id, kind="customer", customer_id=customer, currency="EUR", balance=0, created_at=NOW)
    events = [placed(customer, "1.00") for customer in owners.values()]
    with sessions(1) as submit, limited_transaction(BILLING):
        run(BILLING, "SELECT 1 FROM billing_account WHERE id = %s FOR NO KEY UPDATE", low)
        batch = submit(lambda: place(*events) if handler == "placed" else cancel(*map(cancelled, events)))
        wait_until_blocked()
        free = rows(BILLING, "SELECT 1 FROM billing_account WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED", high)
    batch.result()
    assert free, "the higher one was locked before the lower one"


def test_accounts_are_locked_before_invoices() -> None:
    alice = account("100.00")
    order = placed(alice.customer_id)
    place(order)
    with sessions(1) as submit, limited_transaction(BILLING):
        run(BILLING, "SELECT 1 FROM billing_account WHERE id = %s FOR NO KEY UPDATE", alice.id)
        refund = submit(lambda: cancel(cancelled(order)))
        wait_until_blocked()
        run(BILLING, "SELECT 1 FROM billing_invoice WHERE order_id = %s FOR UPDATE NOWAIT", order.order_id)
    refund.result()
    assert balance(alice) == "100.00"


def test_a_deposit_waits_for_a_charge_and_sees_what_it_left() -> None:
    alice = account("100.00")
    with sessions(1) as submit, limited_transaction(BILLING):
        place(placed(alice.customer_id, "30.00"))
        deposit = submit(lambda: services.deposit(account_id=alice.id, amount=Decimal("5.00"), now=NOW))
        wait_until_blocked()
    assert deposit.result().balance == Decimal("75.00")
    assert clean()


def test_an_order_and_its_cancellation_at_the_same_time_end_without_a_charge() -> None:
    alice = account("100.00")
    for _ in range(10):
        order, start = placed(alice.customer_id, "30.00"), Barrier(2)
        with sessions(2) as submit:
            both = [submit(lambda: (start.wait(), place(order))), submit(lambda: (start.wait(), cancel(cancelled(order))))]  # noqa: B023  (both end in this turn)
            for done in both:
                done.result()
        assert invoice(order).status in {"void", "refunded"}
        assert balance(alice) == "100.00"
    assert clean()


def test_the_loser_of_a_race_for_an_order_without_an_account_violates_its_unique_key() -> None:
    order = placed(None)
    with sessions(1) as submit:
        with limited_transaction(BILLING):
            place(order)
            late = submit(lambda: cancel(cancelled(order)))
            wait_until_blocked()
        with pytest.raises(IntegrityError) as caught:
            late.result()
    assert getattr(caught.value.__cause__, "sqlstate", None) == "23505"
    assert cancel(cancelled(order)) == []
    assert Invoice.objects.get().status == "declined"


def test_one_of_two_accounts_opened_at_the_same_time_is_refused() -> None:
    customer, start = uuid7(), Barrier(4)

    def open_one() -> str:
        start.wait()
        try:
            services.open_account(customer_id=customer, currency="EUR", now=NOW)
        except services.AccountExists:
            return "refused"
        return "opened"

    with sessions(4) as submit:
        ends = sorted(done.result() for done in [submit(open_one) for _ in range(4)])
    assert ends == ["opened", "refused", "refused", "refused"]
    assert sorted(Account.objects.values_list("kind", flat=True)) == ["cash", "customer", "sales"]


def test_an_invoice_paid_twice_at_the_same_time_is_charged_once(settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    alice = account("100.00")
    order = placed(alice.customer_id, "30.00")
    place(order)
    bill = invoice(order)
    with sessions(1) as submit:
        with limited_transaction(BILLING):
            services.pay_invoice(invoice_id=bill.id, now=NOW)
            second = submit(lambda: services.pay_invoice(invoice_id=bill.id, now=NOW))
            wait_until_blocked()
        with pytest.raises(services.NotOpen):
            second.result()
    assert balance(alice) == "70.00"
    assert Transfer.objects.filter(kind="charge").count() == 1
