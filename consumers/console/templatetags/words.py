"""Figures in words, for the console's pages. What is not known is a dash."""

from datetime import datetime

from django.template import Library

register = Library()
UNKNOWN = "–"
STEPS = ((86400, "d"), (3600, "h"), (60, "min"))


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds, in the unit that they are read in: 850 ms, 4.2 s, 12 s, 3 min, 2 h, 5 d."""
    if seconds is None:
        return UNKNOWN
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{seconds:.0f} s"
    return next(f"{seconds / step:,.0f} {unit}" for step, unit in STEPS if seconds >= step)


@register.filter
def milliseconds(number: float | None) -> str:
    """Milliseconds as a duration."""
    return duration(None if number is None else number / 1000)


@register.filter
def ago(at: datetime | None, now: datetime) -> str:
    """How long before `now`, in whole seconds or more."""
    if at is None:
        return UNKNOWN
    seconds = max(0.0, (now - at).total_seconds())
    return "now" if seconds < 1 else f"{duration(float(int(seconds)) if seconds >= 10 else round(seconds)).replace('.0 s', ' s')} ago"


@register.filter
def rate(events: float | None) -> str:
    """Events a second; a minute, when they are few."""
    if events is None:
        return UNKNOWN
    return f"{events:,.0f}/s" if events >= 10 else f"{events:.1f}/s" if events >= 1 else f"{events * 60:.0f}/min"


@register.filter
def number(count: int | None) -> str:
    """A whole number, by thousands."""
    return UNKNOWN if count is None else f"{count:,}"
