"""The ledger over histories of any shape: it is audited after each, and its database refuses what would break it."""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import audit, ledger, services
from billing.models import Account, Invoice, Transfer
from billing.rules import Posting, move
from billing.tests.people import NOW, account, balance, cancel, cancelled, place, placed
from kafka_shop.databases import alias_of, run
from orders.events import OrderPlaced

pytestmark = pytest.mark.django_db
STEPS = ["deposit", "place", "place", "place again", "cancel", "cancel early"]
amounts = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("90.00"), places=2)
histories = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2), st.lists(amounts, min_size=1, max_size=4)), max_size=12)


class Shop:
    """Three customers, one of them with two accounts and one with none, and a random history of theirs."""

    def __init__(self) -> None:
        alice, bob = account("100.00"), account("0.00")
        self.accounts = [alice, bob, account("20.00", currency="USD", customer=alice.customer_id)]
        self.orders: list[OrderPlaced] = [placed(None)]

    def step(self, kind: str, who: int, amounts: list[Decimal]) -> None:
        account = self.accounts[who]
        fresh = [placed(account.customer_id, str(amount), currency=account.currency) for amount in amounts]
        steps: dict[str, Callable[[], object]] = {
            "deposit": lambda: services.deposit(account_id=account.id, amount=amounts[0], now=NOW),
            "place": lambda: place(*fresh, fresh[0]),
            "place again": lambda: place(*self.orders),
            "cancel": lambda: cancel(*map(cancelled, self.orders[:: who + 1])),
            "cancel early": lambda: cancel(*map(cancelled, fresh)),
        }
        steps[kind]()
        self.orders += fresh


# The fixture is the transaction around all examples: each makes customers of its own, and is audited with those before it.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories)
def test_after_any_history_balances_are_their_transfers(history: list[tuple[str, int, list[Decimal]]]) -> None:
    shop = Shop()
    for kind, who, amounts in history:
        shop.step(kind, who, amounts)
    assert list(audit.check(alias_of("billing"))) == []
    for each in Account.objects.filter(kind="customer", id__in=[each.id for each in shop.accounts]):
        statement = list(Transfer.objects.filter(account=each).order_by("number"))
        changes = [-transfer.amount if transfer.kind == "charge" else transfer.amount for transfer in statement]
        assert [transfer.number for transfer in statement] == list(range(1, each.sequence + 1))
        assert all(
            after.balance == before.balance + change for (before, after), change in zip(pairwise(statement), changes[1:], strict=True)
        )
        assert each.balance == sum(changes, Decimal(0))
        assert each.balance is not None
        assert each.balance >= 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE billing_transfer SET amount = amount + 1",
        "UPDATE billing_transfer SET amount = amount WHERE false",
        "DELETE FROM billing_transfer",
        "TRUNCATE billing_transfer",
    ],
)
def test_transfers_are_immutable_for_whoever_asks(sql: str) -> None:
    account("10.00")
    with pytest.raises(IntegrityError, match="a transfer is immutable"), transaction.atomic(using=alias_of("billing")):
        run(alias_of("billing"), sql)
    assert Transfer.objects.get().amount == Decimal("10.00")


def test_the_database_refuses_a_balance_below_zero() -> None:
    alice = account("10.00")
    with pytest.raises(IntegrityError, match="account_balance_not_below_zero"), transaction.atomic(using=alias_of("billing")):
        Account.objects.filter(id=alice.id).update(balance=Decimal("-0.01"))
    assert balance(alice) == "10.00"


def test_the_database_refuses_a_second_charge_of_an_invoice() -> None:
    alice = account("100.00")
    place(placed(alice.customer_id, "30.00"))
    [held] = ledger.lock_accounts([placed(alice.customer_id).customer_id])
    with pytest.raises(IntegrityError, match="transfer_once_an_invoice"), transaction.atomic(using=alias_of("billing")):
        ledger.post("charge", [Posting(move(held, Decimal("-30.00")), Decimal("30.00"), Invoice.objects.get().id)], now=NOW)
    assert balance(alice) == "70.00"


def test_a_posting_in_a_currency_that_the_shop_has_no_account_for_is_refused() -> None:
    alice = account("100.00")
    held = ledger.lock_account(alice.id)
    assert held is not None
    with pytest.raises(RuntimeError, match="0 of 1 rows were written"), transaction.atomic(using=alias_of("billing")):
        ledger.post("deposit", [Posting(move(held, Decimal("1.00"))._replace(currency="CHF"), Decimal("1.00"))], now=NOW)
    assert balance(alice) == "100.00"


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "paid"},
        {"outcome": "declined", "settled_at": NOW},
        {"reason": "no_account"},
        {"refunded_at": NOW},
        {"amount": None},
        {"amount": Decimal(0)},
        {"voided_at": NOW, "outcome": "declined", "reason": "no_account", "settled_at": NOW},
    ],
)
def test_the_database_refuses_an_invoice_that_makes_no_sense(change: dict[str, object]) -> None:
    order = placed(None)
    sensible = {"order_id": order.order_id, "customer_id": order.customer_id, "amount": order.amount, "currency": "EUR", "opened_at": NOW}
    with pytest.raises(IntegrityError, match="violates check constraint"):
        Invoice.objects.create(**(sensible | change))
