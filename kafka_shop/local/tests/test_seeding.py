"""Seeded data are like what people make: money in balanced accounts, orders on their way out."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db.models import F, Sum

from billing.models import Account, Transfer
from kafka_shop.local import seeding
from kafka_shop.local.people import seed_people
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from orders.models import Order

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def seed(customers: int, orders: int) -> list[int]:
    told: list[int] = []
    seeding.seed_customers(customers, clock=lambda: NOW, advance=told.append)
    seeding.seed_orders(orders, clock=lambda: NOW, advance=told.append)
    return told


def test_customers_have_money_that_transfers_explain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "SET", 4)

    assert seed(10, 0) == [4, 4, 2]

    accounts = Account.objects.filter(kind="customer")
    assert accounts.count() == 10
    assert accounts.filter(balance__gt=0, sequence=1).count() == 10
    assert Transfer.objects.aggregate(Sum("amount"))["amount__sum"] == accounts.aggregate(Sum("balance"))["balance__sum"]
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_orders_are_placed_as_people_place_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "SET", 4)

    seed(3, 10)

    assert Order.objects.filter(status="pending", placed_at=NOW, sweep_from=NOW).count() == 10
    for order in Order.objects.all():
        assert order.total == order.lines.aggregate(total=Sum(F("price") * F("quantity")))["total"] > Decimal(0)
    assert set(OutboxRow.objects.values_list("event_id", flat=True)) == {f"order.placed:{order.id}" for order in Order.objects.all()}


def test_seeded_orders_leave_people_who_sign_in_alone() -> None:
    seed_people()

    with pytest.raises(seeding.NoCustomers, match="--customers"):
        seed(0, 1)
    seed(2, 20)

    people = User.objects.filter(username__in=["alice", "bob", "admin"]).values_list("id", flat=True)
    assert not Order.objects.filter(customer_id__in=people).exists()


def test_people_are_made_once_and_can_sign_in() -> None:
    seed_people()
    User.objects.filter(username="alice").update(email="hers@example.com")
    seed_people()

    assert User.objects.count() == 3
    assert User.objects.get(username="alice").email == "hers@example.com"
    assert User.objects.get(username="bob").check_password("bob")
    assert User.objects.get(username="admin").is_superuser
    assert not User.objects.get(username="bob").is_staff
