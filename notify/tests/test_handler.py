"""Every end of an order makes one letter, however often it is told."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from kafka_shop.ids import uuid7
from notify import services
from notify.handlers import order_settled
from notify.models import Letter
from notify.tests.helpers import NOW, settled

pytestmark = pytest.mark.django_db


def test_a_paid_order_makes_a_letter_of_joy() -> None:
    event = settled(amount="59.00")
    assert list(order_settled.handle([event])) == []
    letter = Letter.objects.get()
    assert (letter.order_id, letter.customer_id, letter.outcome) == (event.event.order_id, event.event.customer_id, "paid")
    assert letter.subject == "Your order is paid"
    assert f"your order {event.event.order_id} is paid" in letter.body
    assert "59.00 EUR" in letter.body
    assert (letter.created_at, letter.read_at, letter.partition, letter.offset) == (NOW, None, 1, 7)


def test_a_rejected_order_makes_a_letter_of_grief_with_the_reason() -> None:
    order_settled.handle([settled("rejected", reason="insufficient_funds")])
    letter = Letter.objects.get()
    assert letter.subject == "We could not take your order"
    assert "there is not enough money in your account" in letter.body


def test_letters_are_in_the_shops_language(settings: Any) -> None:
    settings.LANGUAGE_CODE = "ru"
    order_settled.handle([settled("rejected", reason="no_account")])
    letter = Letter.objects.get()
    assert letter.subject == "Мы не смогли принять ваш заказ"
    assert "у вас ещё нет счёта" in letter.body
    assert "12.50 EUR" in letter.body


def test_an_order_has_one_letter_an_outcome() -> None:
    order: dict[str, Any] = {"order_id": uuid7(), "customer_id": uuid7()}
    order_settled.handle([settled("paid", **order), settled("cancelled", **order), settled("refunded", **order)])
    assert list(Letter.objects.order_by("id").values_list("outcome", flat=True)) == ["paid", "cancelled", "refunded"]


def test_an_event_that_comes_again_makes_no_letter_and_changes_none() -> None:
    event = settled()
    order_settled.handle([event])
    before = Letter.objects.values().get()
    again = settled(order_id=event.event.order_id, customer_id=event.event.customer_id, amount="1.00", at=NOW + timedelta(days=1), offset=8)
    order_settled.handle([again])
    assert Letter.objects.values().get() == before


def test_an_event_that_comes_twice_in_a_batch_makes_one_letter() -> None:
    event = settled()
    order_settled.handle([event, event, settled()])
    assert Letter.objects.count() == 2


@pytest.mark.parametrize("count", [1, 500])
def test_a_batch_takes_one_statement_whatever_its_size(statements: list[str], count: int) -> None:
    order_settled.handle([settled() for _ in range(count)])
    assert len(statements) == 1
    assert Letter.objects.count() == count


def test_no_events_are_no_work(statements: list[str]) -> None:
    order_settled.handle([])
    assert statements == []


def test_a_letter_is_read_once() -> None:
    order_settled.handle([settled()])
    letter = Letter.objects.get()
    assert services.mark_read(letter=letter, now=NOW).read_at == NOW
    assert services.mark_read(letter=letter, now=NOW + timedelta(days=1)).read_at == NOW
    assert Letter.objects.get().read_at == NOW


def test_a_letter_holds_the_largest_amount() -> None:
    order_settled.handle([settled(amount=str(Decimal("999999999.99")))])
    assert "999999999.99 EUR" in Letter.objects.get().body
