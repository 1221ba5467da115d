"""Values without coercion."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.forms import ValidationError as BadForm
from pytest_django import Settings
from rest_framework.exceptions import ValidationError

from kafka_shop import money
from kafka_shop.api.fields import Currency, Id, Moment, Money, Text, WholeNumber
from kafka_shop.api.filters import MomentField

UUID_TEXT = "01a206da-c23e-73b8-a35f-79aa746d3f75"


@pytest.mark.parametrize("text", ["100.00", "0.01", "7", "1.5", "999999999.99"])
def test_money_is_read_from_a_string(text: str) -> None:
    assert Money().run_validation(text) == Decimal(text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "0",
        "0.00",
        "-1",
        "+1",
        "1.001",
        "1.",
        ".5",
        "1e3",
        "1_0",
        "1,5",
        "١",
        "NaN",
        "1000000000",
        100,
        1.5,
        True,
        None,
        [],
        {},
    ],
)
def test_no_other_value_is_money(value: Any) -> None:
    with pytest.raises(ValidationError):
        Money().run_validation(value)


@pytest.mark.parametrize(("amount", "text"), [("0", "0.00"), ("1.5", "1.50"), ("12345678901234567890.12", "12345678901234567890.12")])
def test_money_is_written_with_two_places_however_large(amount: str, text: str) -> None:
    assert Money().to_representation(Decimal(amount)) == text


@pytest.mark.parametrize("value", ["1", 1.0, True, None, "", [], 0, 11, 10**30])
def test_a_whole_number_in_its_range_is_the_only_quantity(value: Any) -> None:
    field = WholeNumber(min_value=1, max_value=10)
    assert field.run_validation(10) == 10
    with pytest.raises(ValidationError):
        field.run_validation(value)


@pytest.mark.parametrize(
    "value", [5, False, None, "", "x", [], UUID_TEXT.replace("-", ""), f"{{{UUID_TEXT}}}", f"urn:uuid:{UUID_TEXT}", f"{UUID_TEXT}\n"]
)
def test_an_id_is_a_uuid_in_its_text_form(value: Any) -> None:
    assert Id().run_validation(UUID_TEXT) == UUID(UUID_TEXT)
    assert Id().run_validation(UUID_TEXT.upper()) == UUID(UUID_TEXT)
    with pytest.raises(ValidationError):
        Id().run_validation(value)


@pytest.mark.parametrize("value", [1, 1.5, True, None, "", [], {}, "a\0b", "\ud800"])
def test_a_text_is_a_string_that_can_be_stored(value: Any) -> None:
    assert Text().run_validation(" as it is ") == " as it is "
    with pytest.raises(ValidationError):
        Text().run_validation(value)


@pytest.mark.parametrize("value", ["eur", "EU", "EURO", "XXX", "JPY", "KWD", "", " EUR", 978, None, []])
def test_a_currency_has_two_decimals_and_capitals(value: Any) -> None:
    assert Currency().run_validation("EUR") == "EUR"
    with pytest.raises(ValidationError):
        Currency().run_validation(value)


def test_the_currencies_are_codes_and_none_of_other_decimals_is_among_them() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in money.CURRENCIES)
    assert not money.CURRENCIES & {
        "BHD",
        "CLF",
        "CLP",
        "ISK",
        "JOD",
        "JPY",
        "KRW",
        "KWD",
        "LYD",
        "OMR",
        "PYG",
        "TND",
        "UGX",
        "VND",
        "XAF",
        "XXX",
    }


def test_a_time_is_written_in_utc_whatever_the_servers_zone(settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=3)))
    assert Moment().to_representation(noon) == "2026-01-31T09:00:00Z"


def test_a_time_is_read_with_its_offset_only() -> None:
    field = MomentField(required=False)
    assert field.clean("2026-01-31T12:00:00+03:00") == datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert field.clean("") is None


@pytest.mark.parametrize(
    "text", ["2026-01-31T12:00:00", "2026-01-31", "now", "1", "2026-02-30T00:00:00Z", "99999-01-01T00:00:00Z", "2026-01-31T12:00:00Z\0"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadForm):
        MomentField(required=False).clean(text)
