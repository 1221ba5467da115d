"""Migrations of every database in use; the router says which tables belong where."""

from django.conf import settings
from django.core.management import call_command

from kafka_shop.databases import lacking_apps, used_aliases


def migrate_all(verbosity: int = 0) -> None:
    """Makes or alters the tables that belong in each database in use."""
    for alias in used_aliases():
        for app in lacking_apps(alias):
            call_command("migrate", app, database=alias, interactive=False, verbosity=verbosity)


def tenants(alias: str) -> list[str]:
    """The services whose tables live in a database."""
    return [service for service, own in settings.SERVICE_DATABASES.items() if own == alias]
