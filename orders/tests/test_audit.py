"""What the audit finds, and what it hands out to be compared."""

import pytest

from kafka_shop.databases import rows, run
from kafka_shop.findings import Finding
from kafka_shop.ids import uuid7
from orders import audit, services
from orders.handlers import invoice_refunded, invoice_settled
from orders.models import Order, OrderLine
from orders.tests.helpers import MINUTE, NOW, place, refunded, settled

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def orders() -> list[Order]:
    """Pending, paid, rejected, cancelled after a late payment, refunded: in the order of their ids."""
    pending, paid, rejected, late, back = orders = [place() for _ in range(5)]
    invoice_settled.handle([settled(paid), settled(rejected, "declined"), settled(back)])
    services.cancel_order(order_id=late.id, now=NOW)
    invoice_settled.handle([settled(late)])
    invoice_refunded.handle([refunded(back)])
    assert pending.status == "pending"
    return orders


def drop(constraint: str) -> None:
    run("default", f"ALTER TABLE orders_order DROP CONSTRAINT {constraint}")


def test_orders_in_good_order_have_no_findings(orders: list[Order]) -> None:
    assert list(audit.check("default")) == []


def test_a_total_that_its_lines_do_not_sum_to_is_found(orders: list[Order]) -> None:
    OrderLine.objects.filter(order=orders[1]).update(quantity=3)
    OrderLine.objects.filter(order=orders[2]).delete()
    assert list(audit.check("default")) == [
        Finding("orders.total", str(orders[1].id), "its total is 15.00, its lines sum to 22.50"),
        Finding("orders.total", str(orders[2].id), "its total is 15.00, its lines sum to 0"),
    ]


def test_lines_without_their_order_are_found(orders: list[Order]) -> None:
    run("default", "DELETE FROM orders_order WHERE id = %s", orders[1].id)
    assert list(audit.check("default")) == [Finding("orders.total", str(orders[1].id), "its total is 0, its lines sum to 15.00")]


def test_facts_that_exclude_each_other_are_found(orders: list[Order]) -> None:
    drop("order_facts_agree")
    Order.objects.filter(id=orders[1].id).update(rejected_at=NOW)
    assert [(finding.check, finding.subject) for finding in audit.check("default")] == [("orders.facts", str(orders[1].id))]


def test_an_order_that_waits_and_is_not_swept_is_found(orders: list[Order]) -> None:
    drop("order_is_swept_while_it_waits")
    Order.objects.filter(id=orders[0].id).update(sweep_from=None)
    assert [(finding.check, finding.subject) for finding in audit.check("default")] == [("orders.sweep", str(orders[0].id))]


def test_the_facts_that_have_letters_come_sorted(orders: list[Order]) -> None:
    _, paid, rejected, late, back = orders
    assert [fact[:3] for fact in audit.facts("default")] == [
        (paid.id, "paid", paid.customer_id),
        (rejected.id, "rejected", rejected.customer_id),
        (late.id, "cancelled", late.customer_id),
        (back.id, "cancelled", back.customer_id),
        (back.id, "paid", back.customer_id),
        (back.id, "refunded", back.customer_id),
    ]


def test_the_facts_that_were_published_are_those_that_the_orders_state(orders: list[Order]) -> None:
    """Those that a republication puts back in the outbox, of which none is sent by it now."""
    run("default", "DELETE FROM messaging_outboxrow")
    assert services.republish(since=NOW - MINUTE, cursor=None, limit=1000, now=NOW) is None
    stated = [(destination, id) for destination, id, *_ in rows("default", audit.PUBLISHED)]
    assert sorted(stated) == sorted(rows("default", "SELECT destination, event_id FROM messaging_outboxrow"))


def test_it_tells_which_results_have_had_their_effect(orders: list[Order]) -> None:
    pending, paid, rejected, late, back = (order.id for order in orders)
    told = [(id, what) for id in (pending, paid, rejected, late, back, uuid7()) for what in ("paid", "declined", "refunded")]
    known = {(paid, "paid"), (rejected, "declined"), (late, "paid"), (late, "declined")}
    assert audit.applied("default", told) == known | {(back, "paid"), (back, "declined"), (back, "refunded")}


def test_the_ends_of_all_orders_come_sorted(orders: list[Order]) -> None:
    ends = list(audit.ends("default"))
    assert [end.order_id for end in ends] == [order.id for order in orders]
    assert [(end.status, end.paid, end.late_paid, end.refunded) for end in ends] == [
        ("pending", False, False, False),
        ("paid", True, False, False),
        ("rejected", False, False, False),
        ("cancelled", False, True, False),
        ("cancelled", True, False, True),
    ]
    assert {(end.amount, end.currency) for end in ends} == {(orders[0].total, "EUR")}
    assert [end.customer_id for end in ends] == [order.customer_id for order in orders]
