"""A receiver over HTTP that is away or slow: nothing is lost, and the others get theirs."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread

import httpx
import pytest

from consumers.relay import Relay
from tests.flows import ways
from tests.flows.shop import Shop, View, Web
from tests.sessions import eventually, in_own_session

pytestmark = pytest.mark.parametrize("way", ways.OVER_HTTP, ids=str)


def away(receiver: str) -> Callable[[str], None]:
    """One service does not answer."""

    def on_way(path: str) -> None:
        if path.endswith(f"/{receiver}/events/"):
            raise httpx.ConnectError("refused")

    return on_way


def slow(receiver: str, until: Event) -> Callable[[str], None]:
    """One service lets its requests wait."""

    def on_way(path: str) -> None:
        if path.endswith(f"/{receiver}/events/"):
            until.wait()

    return on_way


@pytest.mark.parametrize("receiver", ["billing", "orders", "notify"])
def test_a_receiver_that_is_away_for_an_hour_loses_nothing(shop: Shop, transport: Web, receiver: str) -> None:
    alice = shop.customer("alice", "100.00")
    transport.on_way = away(receiver)
    orders = [alice.order() for _ in range(3)]
    for minute in range(60):
        shop.publish(timedelta(minutes=minute))
    assert alice.get("notify/notifications/")["results"] == []

    transport.on_way = lambda path: None
    shop.settle()
    assert [alice.sees(order) for order in orders] == [View("paid", "paid", ["paid"], "77.50")] * 3


@pytest.mark.parametrize("ill", ["away", "slow"])
def test_a_receiver_that_is_away_or_slow_holds_up_no_other(shop: Shop, transport: Web, ill: str) -> None:
    alice, well = shop.customer("alice", "100.00"), Event()
    order = alice.order()
    shop.settle()
    transport.on_way = slow("billing", well) if ill == "slow" else away("billing")
    alice.cancel(order)  # a fact for billing, and one for notify
    relay = Relay()
    thread = Thread(target=in_own_session(relay.run))
    thread.start()
    try:
        eventually(lambda: alice.sees(order).letters == ["cancelled", "paid"])
        assert alice.invoice(order)["status"] == "paid"
        transport.on_way = lambda path: None
        well.set()
        eventually(lambda: alice.sees(order).letters == ["cancelled", "paid", "refunded"])
    finally:
        well.set()
        relay.stop()
        thread.join()
    shop.settle()
