"""Everything goes down in the middle and comes up again, in every way in which the shop can be set up."""

from collections.abc import Sequence
from contextlib import suppress

import pytest

from consumers.routes import ROUTES, Route
from kafka_shop.messaging.events import Event, Handler, Received
from kafka_shop.messaging.relay import Carrier, Outcome, Row
from tests.flows import ways
from tests.flows.shop import Shop, View


class PowerCut(BaseException):
    """Like a signal, no code of the shop may hold it up."""


def cut_before(carry: Carrier) -> Carrier:
    """The power fails before anything is carried."""

    def carried(pending: Sequence[Row]) -> Outcome:
        raise PowerCut

    return carried


def cut_after(carry: Carrier) -> Carrier:
    """The power fails when all has arrived, and the relay does not know it."""

    def carried(pending: Sequence[Row]) -> Outcome:
        carry(pending)
        raise PowerCut

    return carried


def cut_by(handle: Handler) -> Handler:
    """The power fails when the effects are written and not committed."""

    def handled(events: Sequence[Received[Event]]) -> Sequence[Event]:
        handle(events)
        raise PowerCut

    return handled


def fail_everywhere(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes through a power cut at the relay's two places and in each consumer, as far as there is something to carry; then all is well."""
    for disturbed in (cut_before, cut_after):
        shop.restart(disturbed)
        with pytest.raises(PowerCut):
            shop.settle()
    for name, route in ROUTES.items():
        with monkeypatch.context() as patch:
            patch.setitem(ROUTES, name, Route(route.group, route.topic, {kind: cut_by(handle) for kind, handle in route.handlers.items()}))
            shop.restart()
            with suppress(PowerCut):
                shop.settle()
    shop.restart()
    shop.settle()


def test_power_cuts_at_every_step_lose_and_double_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = shop.customer("alice", "100.00"), shop.customer("bob", "1.00")
    kept, cancelled, refused = alice.order(), alice.order(), bob.order()
    fail_everywhere(shop, monkeypatch)
    if shop.way in ways.ON_REQUEST:
        alice.pay(kept)
        alice.pay(cancelled)
        fail_everywhere(shop, monkeypatch)
    alice.cancel(cancelled)
    fail_everywhere(shop, monkeypatch)

    assert alice.sees(kept) == View("paid", "paid", ["paid"], "92.50")
    assert alice.sees(cancelled) == View("cancelled", "refunded", ["cancelled", "paid", "refunded"], "92.50")
    assert [kind for kind, _ in alice.statement()] == ["deposit", "charge", "charge", "refund"]
    assert bob.statement() == [("deposit", "1.00")]
    assert bob.sees(refused).letters == (["rejected"] if shop.way in ways.BY_ITSELF else [])
