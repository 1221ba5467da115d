"""What becomes of an order, in every way in which the shop can be set up."""

import pytest

from tests.flows import ways
from tests.flows.shop import Shop, View

by_itself = pytest.mark.parametrize("way", ways.BY_ITSELF, ids=str)
on_request = pytest.mark.parametrize("way", ways.ON_REQUEST, ids=str)


@by_itself
def test_an_order_is_paid_by_itself(shop: Shop) -> None:
    alice = shop.customer("alice", "100.00")
    order = alice.order(quantity=2)

    shop.settle()
    assert alice.sees(order) == View("paid", "paid", ["paid"], "85.00")
    assert alice.statement() == [("deposit", "100.00"), ("charge", "15.00")]


@on_request
def test_an_order_waits_until_its_customer_pays(shop: Shop) -> None:
    alice = shop.customer("alice", "100.00")
    order = alice.order(quantity=2)
    shop.settle()
    assert alice.sees(order) == View("pending", "open", [], "100.00")
    alice.pay(order)
    alice.pay(order, expect=409)

    shop.settle()
    assert alice.sees(order) == View("paid", "paid", ["paid"], "85.00")
    assert alice.statement() == [("deposit", "100.00"), ("charge", "15.00")]


@by_itself
def test_a_refused_order_takes_no_money(shop: Shop) -> None:
    bob = shop.customer("bob", "7.49")
    order = bob.order()

    shop.settle()
    assert bob.sees(order) == View("rejected", "declined", ["rejected"], "7.49")
    assert bob.statement() == [("deposit", "7.49")]
    bob.cancel(order, expect=409)


@on_request
def test_an_invoice_that_the_money_does_not_cover_stays_open_until_it_does(shop: Shop) -> None:
    bob = shop.customer("bob", "7.49")
    order = bob.order()
    shop.settle()
    bob.pay(order, expect=409)
    shop.settle()
    assert bob.sees(order) == View("pending", "open", [], "7.49")
    bob.deposit("0.01")
    bob.pay(order)

    shop.settle()
    assert bob.sees(order) == View("paid", "paid", ["paid"], "0.00")


@by_itself
def test_an_order_cancelled_before_its_payment_is_known_gets_its_money_back(shop: Shop) -> None:
    alice = shop.customer("alice", "100.00")
    order = alice.order()
    alice.cancel(order)

    shop.settle()
    assert alice.sees(order) == View("cancelled", "refunded", ["cancelled", "refunded"], "100.00")
    assert alice.statement() == [("deposit", "100.00"), ("charge", "7.50"), ("refund", "7.50")]


@on_request
def test_an_order_cancelled_before_it_is_paid_cannot_be_paid_any_more(shop: Shop) -> None:
    alice = shop.customer("alice", "100.00")
    order = alice.order()
    shop.settle()
    alice.cancel(order)
    shop.settle()
    alice.pay(order, expect=409)

    shop.settle()
    assert alice.sees(order) == View("cancelled", "void", ["cancelled"], "100.00")
    assert alice.statement() == [("deposit", "100.00")]


def test_a_paid_order_that_is_cancelled_gets_its_money_back_once(shop: Shop) -> None:
    alice = shop.customer("alice", "100.00")
    order = alice.order()
    shop.settle()
    if shop.way in ways.ON_REQUEST:
        alice.pay(order)
        shop.settle()
    alice.cancel(order)
    alice.cancel(order, expect=409)

    shop.settle()
    assert alice.sees(order) == View("cancelled", "refunded", ["cancelled", "paid", "refunded"], "100.00")
    assert alice.statement() == [("deposit", "100.00"), ("charge", "7.50"), ("refund", "7.50")]
