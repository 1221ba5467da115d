"""System checks: every setting that is wrong stops every command at start, by name and with its remedy."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from kafka_shop.conf import Problem


@register()
def settings_are_usable(**_: Any) -> list[CheckMessage]:
    problems = *settings.SETTINGS_PROBLEMS, *transport_problems(), *trace_problems()
    return [Error(problem.message, hint=problem.hint, id=problem.id) for problem in problems]


def transport_problems() -> list[Problem]:
    """What the HTTP transport needs: the other services' addresses and the token that they share."""
    if settings.TRANSPORT != "http":
        return []
    missing = [f"{service.upper()}_URL" for service, url in settings.SERVICE_URLS.items() if not url]
    missing += [] if settings.SERVICE_TOKEN else ["SERVICE_TOKEN"]
    return [Problem("shop.E020", name, f"{name} is missing: TRANSPORT=http needs it", f"Set {name}.") for name in missing]


def trace_problems() -> list[Problem]:
    """Traces need packages that are not among those of every installation."""
    name = "OTEL_EXPORTER_OTLP_ENDPOINT"
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT or find_spec("opentelemetry"):
        return []
    hint = f"Install requirements/otel.txt, or take {name} away."
    return [Problem("shop.E021", name, f"{name} is set, but OpenTelemetry is not installed", hint)]
