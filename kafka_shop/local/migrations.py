"""Migrations of every database in use; the router says which tables belong where."""

import time

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from kafka_shop.databases import lacking_apps, trouble_of, used_aliases

LOOK_SECONDS = 1.0


def migrate_all(verbosity: int = 0) -> None:
    """Makes or alters the tables that belong in each database in use."""
    for alias in used_aliases():
        for app in lacking_apps(alias):
            call_command("migrate", app, database=alias, interactive=False, verbosity=verbosity)


def wait_until_migrated(*, seconds: float) -> str:
    """Waits until no database in use lacks a migration, and says what is still lacking when the time is over; "" when nothing is."""
    until = time.monotonic() + seconds
    while (lacking := what_is_lacking()) and time.monotonic() < until:
        time.sleep(min(LOOK_SECONDS, max(0.0, until - time.monotonic())))
    return lacking


def what_is_lacking() -> str:
    """What keeps the databases in use from being used; "" when nothing does. Holds no connection afterwards."""
    try:
        return next(filter(None, map(trouble_of, used_aliases())), "")
    finally:
        connections.close_all()


def tenants(alias: str) -> list[str]:
    """The services whose tables live in a database."""
    return [service for service, own in settings.SERVICE_DATABASES.items() if own == alias]
