"""Migrations of every database in use; the router says which tables belong where."""

from collections.abc import Iterator

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor


def migrate_all(verbosity: int = 0) -> None:
    """Migrates every database in use."""
    for alias in settings.DATABASES:
        call_command("migrate", database=alias, interactive=False, verbosity=verbosity)


def unmigrated() -> Iterator[str]:
    """The databases that lack migrations."""
    for alias in settings.DATABASES:
        executor = MigrationExecutor(connections[alias])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            yield alias


def tenants(alias: str) -> list[str]:
    """The services whose tables live in a database."""
    return [service for service, own in settings.SERVICE_DATABASES.items() if own == alias]
