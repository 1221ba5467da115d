"""What the way of an event does to it: it comes twice, too late, or cannot be read. In every way in which the shop can be set up."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.utils import timezone

from billing.events import InvoiceSettled
from kafka_shop.databases import alias_of, limited_transaction
from kafka_shop.ids import uuid7
from kafka_shop.messaging import outbox
from kafka_shop.messaging.events import Event
from kafka_shop.messaging.relay import Carrier, Outcome, Row
from orders.events import OrderPlaced
from tests.flows import ways
from tests.flows.shop import Shop, View

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)


def twice(carry: Carrier) -> Carrier:
    """Everything is carried, and then again."""

    def carried(pending: Sequence[Row]) -> Outcome:
        carry(pending)
        return carry(pending)

    return carried


def backwards(carry: Carrier) -> Carrier:
    """What comes last goes first."""
    return lambda pending: carry(pending[::-1])


def test_an_event_that_comes_twice_has_one_effect(shop: Shop) -> None:
    shop.restart(twice)
    alice, bob = shop.customer("alice", "100.00"), shop.customer("bob", "1.00")
    kept, cancelled, refused = alice.order(), alice.order(), bob.order()
    shop.settle()
    if shop.way in ways.ON_REQUEST:
        for order in kept, cancelled:
            alice.pay(order)
    shop.settle()
    alice.cancel(cancelled)

    shop.settle()
    assert alice.sees(kept) == View("paid", "paid", ["paid"], "92.50")
    assert alice.sees(cancelled) == View("cancelled", "refunded", ["cancelled", "paid", "refunded"], "92.50")
    assert [kind for kind, _ in alice.statement()] == ["deposit", "charge", "charge", "refund"]
    assert bob.statement() == [("deposit", "1.00")]
    assert bob.sees(refused).letters == (["rejected"] if shop.way in ways.BY_ITSELF else [])


def test_a_cancellation_that_overtakes_its_order_keeps_it_from_being_charged(shop: Shop) -> None:
    shop.restart(backwards)
    alice = shop.customer("alice", "100.00")
    order = alice.order()
    alice.cancel(order)

    shop.settle()
    assert alice.sees(order) == View("cancelled", "void", ["cancelled"], "100.00")
    assert alice.statement() == [("deposit", "100.00")]


def test_a_poison_event_is_set_aside_and_holds_up_nobody(shop: Shop) -> None:
    alice = shop.customer("alice", "100.00")
    before = alice.order()
    tell("orders", order_without_a_price())
    tell("billing", payment_of_no_order())
    after = alice.order()

    shop.settle(dead_letters=["billing", "orders"])
    if shop.way in ways.ON_REQUEST:
        alice.pay(before)
        alice.pay(after)
    shop.settle(dead_letters=["billing", "orders"])
    assert [alice.sees(order) for order in (before, after)] == [View("paid", "paid", ["paid"], "85.00")] * 2


def tell(service: str, fact: Event) -> None:
    """Lets a service publish a fact that it never should."""
    with limited_transaction(alias_of(service)):
        outbox.publish([fact], alias=alias_of(service), now=timezone.now())


def order_without_a_price() -> OrderPlaced:
    return OrderPlaced(order_id=uuid7(), customer_id=uuid7(), amount=Decimal("0.00"), currency="EUR", items=(), placed_at=NOW)


def payment_of_no_order() -> InvoiceSettled:
    return InvoiceSettled(
        order_id=uuid7(), customer_id=uuid7(), invoice_id=uuid7(), amount=Decimal("7.50"), currency="EUR", outcome="paid", settled_at=NOW
    )
