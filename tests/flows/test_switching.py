"""The billing mode is switched while orders are in flight, and customers take their time: no order is lost."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from consumers.relay import sweep
from tests.flows import ways
from tests.flows.shop import Shop, View


@pytest.mark.parametrize("way", ways.BY_ITSELF, ids=str)
def test_orders_in_flight_outlive_changes_of_the_billing_mode(shop: Shop, settings: Settings) -> None:
    """The mode counts when billing first hears of an order."""
    alice = shop.customer("alice", "100.00")
    orders = {}
    for mode in ("auto", "on_request", "auto again"):
        settings.BILLING_MODE = mode.removesuffix(" again")
        shop.settle()  # what is in flight arrives
        orders[mode] = alice.order()
        shop.settle()
        orders[f"{mode}, in flight"] = alice.order()
    settings.BILLING_MODE = "auto"
    shop.settle()

    waiting = [name for name, order in orders.items() if alice.sees(order)[:2] == ("pending", "open")]
    assert waiting == ["auto, in flight", "on_request"]
    for name in waiting:
        alice.pay(orders[name])
    shop.settle()
    assert [alice.sees(order) for order in orders.values()] == [View("paid", "paid", ["paid"], "55.00")] * 6


@pytest.mark.parametrize("way", ways.ON_REQUEST, ids=str)
def test_an_invoice_that_waits_for_a_week_costs_a_handful_of_sweeps(shop: Shop) -> None:
    alice = shop.customer("alice", "100.00")
    order = alice.order()
    shop.settle()
    began, swept = timezone.now(), 0
    for hour in range(1, 7 * 24):
        swept += sweep(began + timedelta(hours=hour))
        shop.publish()

    assert 7 < swept < 20
    shop.settle()
    assert alice.sees(order) == View("pending", "open", [], "100.00")
    alice.pay(order)
    shop.settle()
    assert alice.sees(order) == View("paid", "paid", ["paid"], "92.50")
