"""Filling in a form: no database, no templates."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kafka_shop.ids import uuid7
from notify.rules import PLACEHOLDERS, Form, Notice, fill, form
from notify.tests.helpers import NOW


def notice(currency: str = "EUR", amount: str = "12.50") -> Notice:
    return Notice(uuid7(), uuid7(), "paid", Decimal(amount), currency, "", NOW, NOW)


def test_the_first_line_is_the_subject_and_the_rest_the_body() -> None:
    assert form("\nHello \n\nDear {order_id},\n\nbye\n\n") == Form("Hello", "Dear {order_id},\n\nbye")


@given(st.text())
def test_values_are_put_in_as_they_are(currency: str) -> None:
    told = notice(currency)
    subject, body = fill(Form("{currency}", " ".join(PLACEHOLDERS.values())), told)
    assert subject == currency
    assert body == f"{told.order_id} 12.50 {currency}"


def test_an_amount_has_two_places() -> None:
    assert fill(Form("", PLACEHOLDERS["amount"]), notice(amount="1000000"))[1] == "1000000.00"
