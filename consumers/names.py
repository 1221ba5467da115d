"""The name of a consumer as somebody typed it."""

from difflib import get_close_matches

from django.conf import settings
from django.core.management.base import CommandError

from consumers.routes import ROUTES


def refuse_unknown(name: str) -> None:
    """Raises CommandError, with the nearest name, unless there is such a consumer."""
    if name not in ROUTES:
        nearest = get_close_matches(name, ROUTES, n=1)
        raise CommandError(f"there is no consumer {name!r}" + (f", did you mean {nearest[0]}?" if nearest else f": {', '.join(ROUTES)}"))


def refuse_unserved(name: str) -> None:
    """Raises CommandError unless there is such a consumer and this process serves it."""
    refuse_unknown(name)
    if name not in settings.SERVICES:
        raise CommandError(f"this process does not serve {name} (SERVICES={','.join(settings.SERVICES)}): add it to SERVICES")
