"""The values of the API, without coercion: a text is a JSON string, a whole number a JSON integer, money and ids strings, a time in UTC."""

import re
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.validators import EmailValidator
from rest_framework import serializers

from kafka_shop import money

CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)  # RFC 9562, section 4


class Text(serializers.CharField):
    """A JSON string, as it was sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"trim_whitespace": False} | kwargs))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Email(Text):
    """The address of a mailbox."""

    default_validators = [EmailValidator()]


class WholeNumber(serializers.IntegerField):
    """A JSON integer: neither true, nor "1", nor 1.0."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    """A JSON true or false: neither 1 nor "true"."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class Id(serializers.UUIDField):
    """A UUID as a string in the form of RFC 9562: neither a number, nor 32 digits without dashes, nor braces."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not CANONICAL.fullmatch(data):
            self.fail("invalid", value=data)
        return UUID(data)


class Money(serializers.DecimalField):
    """An amount as a string: in, above 0 with at most two places; out, any amount with two places."""

    default_error_messages = {"invalid": f'Give a string such as "100.00": above 0, up to {money.LARGEST}, at most two decimal places.'}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=None, decimal_places=2, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return money.parse_amount(data)
        except (TypeError, ValueError):
            self.fail("invalid")


class Currency(Text):
    """An ISO 4217 code in capitals, of a currency with two decimals."""

    default_error_messages = {"invalid": "Give an ISO 4217 code in capitals, of a currency with two decimals, such as EUR."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in money.CURRENCIES:
            self.fail("invalid")
        return data


class Moment(serializers.DateTimeField):
    """A time as RFC 3339 writes it, in UTC with a Z, whatever zone the server lives in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)
