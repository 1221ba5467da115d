"""What the audit finds among the letters, and what it hands out to be compared."""

from typing import Any

import pytest

from kafka_shop.databases import run
from kafka_shop.ids import uuid7
from notify import audit
from notify.handlers import order_settled
from notify.models import Letter
from notify.tests.helpers import settled

pytestmark = pytest.mark.django_db


def test_letters_in_good_order_have_no_findings() -> None:
    order: dict[str, Any] = {"order_id": uuid7(), "customer_id": uuid7()}
    order_settled.handle([settled("paid", **order), settled("cancelled", **order), settled("rejected")])
    assert list(audit.check("default")) == []


def test_letters_that_exclude_each_other_are_found() -> None:
    order: dict[str, Any] = {"order_id": uuid7(), "customer_id": uuid7()}
    order_settled.handle([settled("paid", **order), settled("rejected", **order), settled("paid")])
    [finding] = audit.check("default")
    assert (finding.check, finding.subject) == ("notify.letters", str(order["order_id"]))
    assert finding.detail.endswith("paid, rejected")


def test_letters_to_two_customers_about_one_order_are_found() -> None:
    order_id = uuid7()
    order_settled.handle([settled("paid", order_id=order_id), settled("cancelled", order_id=order_id)])
    assert [finding.subject for finding in audit.check("default")] == [str(order_id)]


def test_a_doubled_letter_is_found() -> None:
    order_settled.handle([settled()])
    letter = Letter.objects.get()
    run("default", "ALTER TABLE notify_letter DROP CONSTRAINT letter_once_an_outcome")
    Letter.objects.create(
        order_id=letter.order_id,
        customer_id=letter.customer_id,
        outcome="paid",
        subject=letter.subject,
        body=letter.body,
        created_at=letter.created_at,
    )
    assert [finding.subject for finding in audit.check("default")] == [str(letter.order_id)]


def test_letters_come_sorted_by_order_and_outcome() -> None:
    first, second, customer = uuid7(), uuid7(), uuid7()
    order_settled.handle(
        [settled("paid", order_id=second, customer_id=customer), settled("refunded", order_id=first, customer_id=customer)]
    )
    order_settled.handle([settled("cancelled", order_id=first, customer_id=customer)])
    assert list(audit.letters("default")) == [(first, "cancelled", customer), (first, "refunded", customer), (second, "paid", customer)]


def test_it_tells_which_ends_have_their_letter() -> None:
    order = uuid7()
    order_settled.handle([settled("paid", order_id=order)])
    assert audit.applied("default", [(order, "paid"), (order, "refunded"), (uuid7(), "paid")]) == {(order, "paid")}
