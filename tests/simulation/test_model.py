"""The model of the shop, against the contract's table "The life of an order"."""

import pytest

from tests.simulation.findings import Broken
from tests.simulation.model import Shop


@pytest.fixture
def shop() -> Shop:
    """Alice has 100.00, and an order of 40.00."""
    shop = Shop(on_request=False)
    shop.opens("alice")
    shop.deposits("alice", 10_000)
    shop.places("tea", "alice", 4_000)
    return shop


def settle(shop: Shop, order: str) -> None:
    shop.billing_hears_placed(order)
    shop.orders_hears_settled(order, shop.orders[order].told)


def test_an_order_is_charged_once_however_often_it_is_heard_of(shop: Shop) -> None:
    for _ in range(3):
        settle(shop, "tea")

    assert shop.balances == {"alice": 6_000}
    assert (shop.orders["tea"].status, shop.orders["tea"].letters) == ("paid", {"paid"})
    assert shop.unfinished() == []


def test_an_order_that_is_too_dear_is_rejected(shop: Shop) -> None:
    shop.places("gold", "alice", 10_001)
    settle(shop, "gold")

    assert (shop.orders["gold"].status, shop.balances["alice"]) == ("rejected", 10_000)


def test_a_paid_order_that_is_cancelled_has_three_letters_and_its_money_back(shop: Shop) -> None:
    settle(shop, "tea")
    shop.cancels("tea")
    shop.billing_hears_cancelled("tea")
    assert shop.unfinished(), "the refund is not told yet"
    shop.orders_hears_refunded("tea")

    assert shop.orders["tea"].letters == {"paid", "cancelled", "refunded"}
    assert shop.statements["alice"] == [("deposit", 10_000), ("charge", 4_000), ("refund", 4_000)]
    assert shop.unfinished() == []


def test_a_cancellation_that_comes_first_keeps_the_order_from_being_charged(shop: Shop) -> None:
    shop.cancels("tea")
    shop.billing_hears_cancelled("tea")
    shop.billing_hears_placed("tea")

    assert (shop.orders["tea"].invoice, shop.balances["alice"]) == ("void", 10_000)
    assert shop.unfinished() == []


def test_on_request_an_invoice_waits_for_its_customer() -> None:
    shop = Shop(on_request=True)
    shop.opens("alice")
    shop.deposits("alice", 10_000)
    shop.places("tea", "alice", 4_000)
    shop.billing_hears_placed("tea")
    assert (shop.orders["tea"].invoice, shop.unfinished()) == ("open", [])

    shop.pays("tea")
    assert shop.unfinished() == ["tea is pending, its invoice is paid"]


def test_what_billing_never_said_is_not_believed(shop: Shop) -> None:
    with pytest.raises(Broken, match="told as paid"):
        shop.orders_hears_settled("tea", "paid")


def test_a_rejected_order_is_not_cancelled(shop: Shop) -> None:
    shop.places("gold", "alice", 10_001)
    settle(shop, "gold")

    with pytest.raises(Broken, match="gold is rejected"):
        shop.cancels("gold")
