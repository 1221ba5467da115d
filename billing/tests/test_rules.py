"""The decisions of billing, over all that may come."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.facts import settled
from billing.rules import Account, Cancellation, Invoice, Order, Verdict, bill, cancel, charge, code, money, once, refund
from kafka_shop.messaging.events import Conflict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CUSTOMERS = [UUID(int=n) for n in range(1, 4)]
cents = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("999999999.99"), places=2)
small = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("50.00"), places=2)
currencies = st.sampled_from(["EUR", "USD"])
orders = st.lists(
    st.builds(Order, id=st.uuids(), customer_id=st.sampled_from(CUSTOMERS), amount=small, currency=currencies),
    unique_by=lambda order: order.id,
)


@st.composite
def accounts(draw: st.DrawFn) -> list[Account]:
    """Accounts of some of the customers, in some of the currencies."""
    held = draw(st.sets(st.tuples(st.sampled_from(CUSTOMERS), currencies)))
    balances = st.decimals(min_value=0, max_value=100, places=2)
    return [Account(UUID(int=n), *pair, draw(balances), draw(st.integers(0, 5))) for n, pair in enumerate(sorted(held), 100)]


@given(orders, accounts())
def test_each_order_has_one_verdict_and_each_verdict_one_meaning(orders: list[Order], accounts: list[Account]) -> None:
    verdicts = charge(orders, accounts)
    assert len(verdicts) == len(orders)
    for order, (account, reason) in zip(orders, verdicts, strict=True):
        assert (account is None) == (reason != "")
        assert account is None or (account.customer_id, account.currency) == (order.customer_id, order.currency)


@given(orders, accounts())
def test_no_balance_falls_below_zero_and_no_cent_is_lost(orders: list[Order], accounts: list[Account]) -> None:
    paid = [(order, account) for order, (account, _) in zip(orders, charge(orders, accounts), strict=True) if account]
    for before in accounts:
        steps = [account for _, account in paid if account.id == before.id]
        spent = sum((order.amount for order, account in paid if account.id == before.id), Decimal(0))
        assert all(account.balance >= 0 for account in steps)
        assert (steps[-1].balance if steps else before.balance) == before.balance - spent


@given(orders, accounts())
def test_transfers_are_numbered_without_a_gap(orders: list[Order], accounts: list[Account]) -> None:
    after = [verdict.account for verdict in charge(orders, accounts) if verdict.account]
    for before in accounts:
        numbers = [account.sequence for account in (before, *after) if account.id == before.id]
        assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


@given(orders, accounts())
def test_an_order_is_refused_for_money_only_when_the_money_is_not_there(orders: list[Order], accounts: list[Account]) -> None:
    left = {(account.customer_id, account.currency): account.balance for account in accounts}
    owners = {customer for customer, _ in left}
    for order, (account, reason) in zip(orders, charge(orders, accounts), strict=True):
        key = order.customer_id, order.currency
        if account:
            left[key] = account.balance
        elif reason == "insufficient_funds":
            assert left[key] < order.amount
        else:
            assert key not in left
            assert reason == ("wrong_currency" if order.customer_id in owners else "no_account")


@given(orders, accounts(), st.integers(0, 20))
def test_a_batch_decides_like_its_halves_one_after_another(orders: list[Order], accounts: list[Account], cut: int) -> None:
    whole = charge(orders, accounts)
    first = charge(orders[:cut], accounts)
    left = {account.id: account for account in accounts} | {verdict.account.id: verdict.account for verdict in first if verdict.account}
    assert first + charge(orders[cut:], left.values()) == whole


@given(orders, accounts())
def test_what_is_charged_and_given_back_leaves_the_balances_as_they_were(orders: list[Order], accounts: list[Account]) -> None:
    verdicts = charge(orders, accounts)
    left = {account.id: account for account in accounts} | {verdict.account.id: verdict.account for verdict in verdicts if verdict.account}
    billed = [bill(order, verdict, id=order.id, now=NOW) for order, verdict in zip(orders, verdicts, strict=True)]
    paid = [invoice for invoice in billed if invoice.outcome == "paid"]
    postings = refund(paid, left.values())
    after = left | {posting.account.id: posting.account for posting in postings}
    moved = Counter(posting.account.id for posting in postings)
    assert {id: account.balance for id, account in after.items()} == {account.id: account.balance for account in accounts}
    assert all(after[account.id].sequence == account.sequence + 2 * moved[account.id] for account in accounts)


@given(cents)
def test_money_is_itself_with_two_places(amount: Decimal) -> None:
    assert money(amount) == amount
    assert money(amount.normalize()).as_tuple().exponent == -2


@given(st.decimals())
def test_money_is_a_number_of_cents_or_refused(amount: Decimal) -> None:
    try:
        value = money(amount)
    except ValueError:
        return
    assert 0 < value <= Decimal("999999999.99")
    assert (value * 100) % 1 == 0


@given(st.text(max_size=4))
def test_a_currency_is_three_capitals_or_refused(currency: str) -> None:
    try:
        assert len(code(currency)) == 3
    except ValueError:
        return
    assert currency.isascii()
    assert currency.isupper()


ORDER = Order(UUID(int=7), CUSTOMERS[0], Decimal("5.00"), "EUR", 0, 1)
OPEN = bill(ORDER, Verdict(), id=UUID(int=8), now=NOW)
PAID = bill(ORDER, Verdict(Account(UUID(int=9), CUSTOMERS[0], "EUR", Decimal("1.00"), 1)), id=UUID(int=8), now=NOW)
DECLINED = bill(ORDER, Verdict(reason="no_account"), id=UUID(int=8), now=NOW)


def test_a_cancellation_voids_an_open_invoice_and_refunds_a_paid_one() -> None:
    assert cancel(OPEN, now=NOW) == OPEN._replace(voided_at=NOW)
    assert cancel(PAID, now=NOW) == PAID._replace(refunded_at=NOW)


@pytest.mark.parametrize("invoice", [DECLINED, OPEN._replace(voided_at=NOW), PAID._replace(refunded_at=NOW)])
def test_a_cancellation_changes_nothing_else(invoice: Invoice) -> None:
    assert cancel(invoice, now=datetime.now(UTC)) is invoice


def test_an_open_invoice_has_no_fact() -> None:
    assert settled([OPEN, OPEN._replace(voided_at=NOW)]) == []


def test_what_was_not_paid_is_not_given_back() -> None:
    with pytest.raises(ValueError, match="was not paid"):
        refund([OPEN], [])


def test_a_duplicate_is_one_telling_wherever_it_was_read() -> None:
    assert once([ORDER, ORDER._replace(partition=3, offset=4)]) == {ORDER.id: ORDER}


@pytest.mark.parametrize(
    "other", [ORDER._replace(amount=Decimal("5.01")), ORDER._replace(currency="USD"), ORDER._replace(customer_id=CUSTOMERS[1])]
)
def test_two_tellings_that_differ_are_a_conflict(other: Order) -> None:
    with pytest.raises(Conflict, match=str(ORDER.id)):
        once([ORDER, other])


def test_two_cancellations_by_different_customers_are_a_conflict() -> None:
    with pytest.raises(Conflict):
        once([Cancellation(ORDER.id, CUSTOMERS[0]), Cancellation(ORDER.id, CUSTOMERS[1])])
