"""The bench's data: what is prepared passes the check, and the check notices what is wrong."""

from decimal import Decimal

import pytest

from bench import data, load
from billing.models import Account
from kafka_shop.messaging.models import OutboxRow
from orders.models import Order, OrderLine

pytestmark = pytest.mark.usefixtures("committed")


def test_orders_that_are_placed_wait_for_billing_and_for_the_relay() -> None:
    customers = load.make_customers(3)
    data.prepare(customers, balance=Decimal("5.00"))
    orders = list(load.make_orders(customers, 7))

    data.place(orders, publish=True)

    assert set(Order.objects.filter(status="pending").values_list("id", flat=True)) == {order.order_id for order in orders}
    assert OrderLine.objects.count() == 7
    assert list(OutboxRow.objects.order_by("number").values_list("event_id", flat=True)) == [order.id for order in orders]
    data.verify(money=Decimal("15.00"), wrong_accounts=0, invoices=0, outbox=7)


def test_orders_that_have_been_published_leave_nothing_in_the_outbox() -> None:
    customers = load.make_customers(1)
    data.prepare(customers, balance=Decimal("5.00"))

    data.place(list(load.make_orders(customers, 2)), publish=False)

    data.verify(outbox=0)


def test_an_account_that_is_not_what_its_transfers_say_is_noticed() -> None:
    data.prepare(load.make_customers(2), balance=Decimal("5.00"))
    Account.objects.filter(kind="customer").update(balance=Decimal("4.99"))

    with pytest.raises(AssertionError, match=r"wrong_accounts.*2 instead of 0"):
        data.verify(wrong_accounts=0)


def test_preparing_again_begins_anew() -> None:
    data.prepare(load.make_customers(2), balance=Decimal("5.00"))
    data.prepare(load.make_customers(1), balance=Decimal("7.00"))

    data.verify(money=Decimal("7.00"), wrong_accounts=0)
