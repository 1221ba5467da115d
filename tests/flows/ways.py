"""The ways in which the shop can be set up: the same flows must go through in each."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import NamedTuple

from django.db import connections
from django.test import override_settings

from kafka_shop.conf import SERVICES, service_databases


class Way(NamedTuple):
    """One combination of the three freedoms."""

    transport: str
    billing: str
    databases: str

    def __str__(self) -> str:
        return "-".join(self)


ALL = [Way(*choice) for choice in product(("kafka", "http"), ("auto", "on_request"), ("together", "apart"))]
BY_ITSELF = [way for way in ALL if way.billing == "auto"]
OVER_HTTP = [way for way in BY_ITSELF if way.transport == "http"]
ON_REQUEST = [way for way in ALL if way.billing == "on_request"]

OWN = ("billing", "notify")  # have databases of their own where services are apart; orders shares the default one with the users


def database_name(service: str) -> str:
    return f"flows_{service}"


@contextmanager
def apart() -> Iterator[None]:
    """Stands this process's Django on three databases, by the function that reads `BILLING_DATABASE_URL` and its like."""
    before = dict(connections.settings)
    named = {service: {**before["default"], "NAME": database_name(service)} for service in SERVICES}
    databases, aliases = service_databases(named["orders"], {service: named[service] if service in OWN else None for service in SERVICES})
    with override_settings(SERVICE_DATABASES=aliases):
        stand_on(databases)
        try:
            yield
        finally:
            stand_on(before)


def stand_on(databases: dict[str, dict[str, object]]) -> None:
    """Gives Django other databases; what is connected is closed."""
    connections.close_all()
    for alias in list(connections.settings):
        if hasattr(connections._connections, alias):  # type: ignore[attr-defined]  # the stub lacks it
            del connections[alias]
        del connections.settings[alias]
    connections.settings.update(databases)
