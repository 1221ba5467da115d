"""System checks: every setting that is wrong stops every command at start, by name and with its remedy."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from kafka_shop.conf import Problem


@register()
def settings_are_usable(**_: Any) -> list[CheckMessage]:
    return [Error(problem.message, hint=problem.hint, id=problem.id) for problem in (*settings.SETTINGS_PROBLEMS, *transport_problems())]


def transport_problems() -> list[Problem]:
    """What the HTTP transport needs: the other services' addresses and the token that they share."""
    if settings.TRANSPORT != "http":
        return []
    missing = [f"{service.upper()}_URL" for service, url in settings.SERVICE_URLS.items() if not url]
    missing += [] if settings.SERVICE_TOKEN else ["SERVICE_TOKEN"]
    return [Problem("shop.E020", name, f"{name} is missing: TRANSPORT=http needs it", f"Set {name}.") for name in missing]
