"""Placing an order: the catalogue's prices, one transaction, one fact."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from kafka_shop.ids import uuid7
from kafka_shop.messaging import envelope
from kafka_shop.messaging.envelope import FactTooLarge
from orders import services
from orders.errors import UnknownProducts, Unplaceable
from orders.events import Item, OrderPlaced
from orders.models import Order, OrderLine, Product
from orders.tests.helpers import NOW, outbox, place

pytestmark = pytest.mark.usefixtures("catalogue")


def test_an_order_takes_the_prices_of_the_catalogue_and_waits_for_its_money() -> None:
    customer_id = uuid7()
    order = place(customer_id=customer_id, items=[("MUG-001", 1), ("COF-001", 3)])
    stored = Order.objects.get()
    assert (stored.id, stored.customer_id, stored.total, stored.currency) == (order.id, customer_id, Decimal("71.70"), "EUR")
    assert (stored.status, order.status, stored.placed_at, stored.settled_at) == ("pending", "pending", NOW, None)
    lines = [("MUG-001", 1, Decimal("12.00")), ("COF-001", 3, Decimal("19.90"))]
    assert list(stored.lines.values_list("product", "quantity", "price")) == lines


def test_an_order_that_is_placed_asks_billing_for_the_money() -> None:
    order = place(items=[("MUG-001", 1), ("COF-001", 3)])
    assert outbox() == [
        OrderPlaced(
            order_id=order.id,
            customer_id=order.customer_id,
            amount=Decimal("71.70"),
            currency="EUR",
            items=(Item("MUG-001", 1, Decimal("12.00")), Item("COF-001", 3, Decimal("19.90"))),
            placed_at=NOW,
        )
    ]


@pytest.mark.parametrize("count", [1, 8])
def test_placing_an_order_takes_two_statements_whatever_its_size(statements: list[str], count: int) -> None:
    items = [(sku, 1) for sku in Product.objects.values_list("sku", flat=True)[:count]]
    del statements[:]
    place(items=items)
    assert [statement.split()[0] for statement in statements if "SAVEPOINT" not in statement] == ["SELECT", "WITH"]


def test_a_price_that_changes_later_does_not_change_the_order() -> None:
    order = place()
    Product.objects.update(price=Decimal("1.00"))
    assert OrderLine.objects.get(order=order).price == Decimal("7.50")


@pytest.mark.parametrize("items", [[("TEA-001", 1), ("NOTHING", 1)], [("TEA-002", 1)], [("ESP-001", 10_000), ("GOLD", 10_000)], []])
def test_an_order_that_cannot_be_placed_leaves_nothing(items: list[tuple[str, int]]) -> None:
    Product.objects.filter(sku="TEA-002").update(active=False)
    Product.objects.create(sku="GOLD", name="Gold", price=Decimal("999999.99"), currency="EUR")
    with pytest.raises(Unplaceable):
        place(items=items)
    assert not Order.objects.exists()
    assert not outbox()


def test_an_order_whose_fact_cannot_be_written_is_not_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "LARGEST_DATA_BYTES", 10)
    with pytest.raises(FactTooLarge):
        place()
    assert not Order.objects.exists()


def test_what_is_not_sold_is_named() -> None:
    with pytest.raises(UnknownProducts) as refusal:
        place(items=[("NOTHING", 1), ("TEA-001", 1)])
    assert refusal.value.skus == ["NOTHING"]


@pytest.mark.parametrize("items", [[("TEA-001", 0)], [("TEA-001", 10_001)], [("TEA-001", 1), ("TEA-001", 1)]])
def test_the_database_refuses_lines_that_make_no_sense(items: list[tuple[str, int]]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        place(items=items)
    assert not Order.objects.exists()
    assert not outbox()


def test_the_sample_catalogue_is_put_in_once_and_keeps_what_staff_changed() -> None:
    Product.objects.filter(sku="TEA-001").update(price=Decimal("1.00"))
    services.seed_catalogue()
    assert Product.objects.count() == 8
    assert Product.objects.get(sku="TEA-001").price == Decimal("1.00")


def test_many_orders_take_the_statements_of_one(statements: list[str]) -> None:
    placed = services.place_orders(customer_id=uuid7(), baskets=[[("TEA-001", number)] for number in range(1, 51)], now=NOW)

    assert [statement.split()[0] for statement in statements if "SAVEPOINT" not in statement] == ["SELECT", "WITH"]
    assert [order.total for order in placed if isinstance(order, Order)] == [number * Decimal("7.50") for number in range(1, 51)]
    assert len(outbox()) == OrderLine.objects.count() == 50


def test_an_order_that_cannot_be_placed_keeps_no_other_from_it() -> None:
    first, refused, last = services.place_orders(
        customer_id=uuid7(), baskets=[[("TEA-001", 1)], [("NOTHING", 1)], [("MUG-001", 1)]], now=NOW
    )

    assert isinstance(refused, UnknownProducts) and refused.skus == ["NOTHING"]
    assert isinstance(first, Order) and isinstance(last, Order)
    told = {fact.order_id for fact in outbox() if isinstance(fact, OrderPlaced)}
    assert told == {first.id, last.id} == set(Order.objects.values_list("id", flat=True))
