"""Times of one order, which are milliseconds apart."""

from datetime import datetime

from django.template import Library

register = Library()


@register.filter(expects_localtime=True)
def clock(at: datetime | None) -> str:
    """The time of day with its milliseconds; "" for None."""
    return "" if at is None else f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
