"""A handler makes a constant number of SQL statements, whatever the size of its batch."""

from collections.abc import Callable

import pytest

from billing.tests.people import account, cancel, cancelled, place, placed
from orders.events import OrderPlaced

pytestmark = pytest.mark.django_db


def mixed(customers: int) -> list[OrderPlaced]:
    """Of each customer an order that is paid, one that is refused, one that was cancelled early; and one of a stranger."""
    orders, early = [], []
    for _ in range(customers):
        alice = account("100.00")
        orders += [placed(alice.customer_id), placed(alice.customer_id, "500.00"), placed(None)]
        early.append(placed(alice.customer_id))
    cancel(*map(cancelled, early))
    return orders + early


def count(statements: list[str], action: Callable[[], object]) -> int:
    """How many statements an action executes, but for the transaction's own."""
    statements.clear()
    action()
    return len([sql for sql in statements if "SAVEPOINT" not in sql])


def test_placed_orders_take_six_statements(statements: list[str]) -> None:
    lone, many = mixed(1), mixed(125)
    assert len(many) == 500
    assert count(statements, lambda: place(*lone)) == 6  # lock accounts, lock invoices, fill in, invoices, balances, transfers
    assert count(statements, lambda: place(*many)) == 6


def test_known_orders_take_two_statements(statements: list[str]) -> None:
    orders = mixed(125)
    place(*orders)
    assert count(statements, lambda: place(*orders)) == 2


def test_cancelled_orders_take_six_statements(statements: list[str]) -> None:
    lone, many = mixed(1), mixed(125)
    place(*lone[:2], *many[:250])
    assert count(statements, lambda: cancel(*map(cancelled, lone))) == 6  # lock accounts, lock invoices, void, close, balances, transfers
    assert count(statements, lambda: cancel(*map(cancelled, many))) == 6


def test_one_event_takes_no_more_than_its_batch_would(statements: list[str]) -> None:
    order = placed(account("100.00").customer_id)
    assert count(statements, lambda: place(order)) == 5
    assert count(statements, lambda: cancel(cancelled(order))) == 5
