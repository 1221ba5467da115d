"""The sweep asks billing again for answers that are overdue."""

from datetime import datetime, timedelta

import pytest

from kafka_shop.databases import rows
from orders import services
from orders.events import OrderCancelled
from orders.handlers import invoice_refunded, invoice_settled
from orders.models import Order
from orders.tests.helpers import NOW, empty_outbox, many, outbox, outbox_ids, place, refunded, settled

pytestmark = pytest.mark.usefixtures("catalogue")


def sweep(seconds: float, limit: int = 10) -> list[str]:
    """What is published again so many seconds after NOW."""
    empty_outbox()
    services.republish_pending(now=after(seconds), after_seconds=60, limit=limit)
    return outbox_ids()


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_pending_order_is_placed_again_with_the_very_same_fact() -> None:
    place(items=[("MUG-001", 1), ("COF-001", 3)])
    [fact] = outbox()
    assert sweep(59.9) == []
    assert sweep(60) == [fact.id]
    assert outbox() == [fact]
    assert rows("default", "SELECT resent FROM messaging_outboxrow") == [(True,)]


def test_the_intervals_double() -> None:
    order = place()
    placed = [f"order.placed:{order.id}"]
    due = [sweep(seconds) == placed for seconds in (60, 61, 179, 180, 419, 420, 421)]
    assert due == [True, False, False, True, False, True, False]
    assert Order.objects.get().sweeps == 3


def test_an_order_that_waits_for_days_is_swept_once_a_day() -> None:
    order = place()
    Order.objects.update(sweeps=20)
    assert sweep(60) == [f"order.placed:{order.id}"]
    assert sweep(60 + 86_399) == []
    assert sweep(60 + 86_400) == [f"order.placed:{order.id}"]


@pytest.mark.parametrize("outcome", ["paid", "declined"])
def test_a_settled_order_is_not_swept(outcome: str) -> None:
    order = place()
    invoice_settled.handle([settled(order, "paid" if outcome == "paid" else "declined")])
    assert sweep(1e6) == []


def test_a_cancelled_order_that_was_never_paid_is_not_swept() -> None:
    services.cancel_order(order_id=place().id, now=NOW)
    assert sweep(1e6) == []


def test_the_money_of_a_cancelled_order_is_asked_back_until_it_is_refunded() -> None:
    order = place()
    invoice_settled.handle([settled(order, at=after(10))])
    services.cancel_order(order_id=order.id, now=after(1000))
    assert sweep(1059.9) == []
    assert sweep(1060) == [f"order.cancelled:{order.id}"]
    assert outbox() == [OrderCancelled(order_id=order.id, customer_id=order.customer_id, cancelled_at=after(1000))]
    assert sweep(1179.9) == []
    assert sweep(1180) == [f"order.cancelled:{order.id}"]
    invoice_refunded.handle([refunded(order)])
    assert sweep(1e6) == []


def test_a_late_payment_is_asked_back() -> None:
    order = place()
    services.cancel_order(order_id=order.id, now=after(10))
    invoice_settled.handle([settled(order, at=after(500))])
    assert sweep(559.9) == []
    assert sweep(560) == [f"order.cancelled:{order.id}"]


def test_a_late_payment_after_its_refund_is_not_asked_back() -> None:
    order = place()
    services.cancel_order(order_id=order.id, now=NOW)
    invoice_refunded.handle([refunded(order)])
    invoice_settled.handle([settled(order)])
    assert sweep(1e6) == []


def test_what_is_asked_anew_is_counted_anew() -> None:
    order = place()
    sweep(60)
    sweep(180)
    invoice_settled.handle([settled(order, at=after(200))])
    services.cancel_order(order_id=order.id, now=after(300))
    assert Order.objects.get().sweeps == 0
    assert sweep(360) == [f"order.cancelled:{order.id}"]


def test_a_turn_takes_a_few_orders_the_longest_waiting_first() -> None:
    late, early, middle = (place(now=after(seconds)) for seconds in (20, 0, 10))
    assert sweep(100, limit=2) == [f"order.placed:{order.id}" for order in (early, middle)]
    assert sweep(100, limit=2) == [f"order.placed:{late.id}"]


def test_a_turn_with_nothing_to_do_publishes_nothing(statements: list[str]) -> None:
    place()
    del statements[:]
    assert services.republish_pending(now=NOW, after_seconds=60, limit=10) == 0
    assert not [statement for statement in statements if statement.strip().startswith(("INSERT", "UPDATE"))]


@pytest.mark.parametrize("count", [1, 300])
def test_a_turn_takes_a_constant_number_of_statements(statements: list[str], count: int) -> None:
    many(count)
    del statements[:]
    assert services.republish_pending(now=after(60), after_seconds=60, limit=1000) == count
    assert len([statement for statement in statements if "SAVEPOINT" not in statement]) == 5


def test_a_fact_that_still_waits_in_the_outbox_is_not_doubled() -> None:
    order = place()
    services.republish_pending(now=after(60), after_seconds=60, limit=10)
    assert outbox_ids() == [f"order.placed:{order.id}"]
