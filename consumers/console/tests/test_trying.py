"""What the demo's buttons do."""

from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

import orders.services
from billing.models import Account, Invoice
from consumers.choosing import Choice, find
from consumers.console import trying
from consumers.models import DeadLetter
from consumers.ops.tests.moving import apply, moved, published
from consumers.replay import replay
from kafka_shop.messaging.models import OutboxRow
from notify.models import Letter
from orders.models import Order, Product

NOW = timezone.now()


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    orders.services.seed_catalogue()


def test_orders_that_are_paid_and_one_that_is_refused() -> None:
    placed = trying.place_paid(count=3, now=NOW)
    refused = trying.place_refused(now=NOW)
    moved("billing", "orders", "notify")

    assert {each.status for each in Order.objects.filter(id__in=[order.id for order in placed])} == {"paid"}
    assert Order.objects.get(id=refused.id).status == "rejected"
    assert Account.objects.get(kind="customer").balance == 0


def test_where_billing_is_elsewhere_nobody_gets_money(settings: Settings) -> None:
    settings.SERVICES = ["orders"]
    assert len(trying.place_paid(count=1, now=NOW)) == 1
    assert not Account.objects.exists()


def lost() -> UUID:
    """A poison message whose result orders could not apply."""
    id = trying.lose_order(now=NOW)
    moved("billing")
    apply("orders", published("billing-topic"), refusal="Conflict: an order is not known")
    return id


def test_a_poison_message_is_mended_and_replayed() -> None:
    id = lost()
    assert Invoice.objects.get().status == "paid" and not Order.objects.exists()
    assert [each.order_id for each in trying.lost_orders()] == [id]
    assert [outcome.state for outcome in replay(letters=find(choice=Choice(), limit=1), clock=timezone.now)] == ["failed"]

    for result in trying.lost_orders():
        trying.bring_back(result=result, now=NOW)

    assert trying.lost_orders() == []
    assert [outcome.state for outcome in replay(letters=find(choice=Choice(), limit=1), clock=timezone.now)] == ["replayed"]
    moved("notify")
    assert Order.objects.get().status == "paid"
    assert Letter.objects.get().outcome == "paid"


def test_an_order_that_was_brought_back_heals_by_the_sweep_too() -> None:
    lost()
    for result in trying.lost_orders():
        trying.bring_back(result=result, now=NOW)

    assert orders.services.republish_pending(now=timezone.now(), after_seconds=0, limit=10) == 1
    moved("billing", "orders")

    assert Order.objects.get().status == "paid"
    assert DeadLetter.objects.get().outcome == "applied"
    assert Account.objects.get(kind="customer").balance == Decimal("0.00")  # charged once


def test_without_a_catalogue_nothing_is_sent() -> None:
    Product.objects.all().delete()
    for deed in (lambda: trying.place_paid(count=1, now=NOW), lambda: trying.place_refused(now=NOW), lambda: trying.lose_order(now=NOW)):
        with pytest.raises(Product.DoesNotExist):
            deed()
    assert not OutboxRow.objects.exists() and not Account.objects.exists()
