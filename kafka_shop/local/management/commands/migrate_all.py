"""`migrate_all`: migrations of every database in use."""

from typing import Any

from django.core.management.base import BaseCommand

from kafka_shop.databases import used_aliases
from kafka_shop.local.migrations import migrate_all, tenants


class Command(BaseCommand):
    help = "Migrates every database in use: the default one, and each service's own."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        for alias in used_aliases():
            homes = ", ".join(tenants(alias)) or "no service"
            self.stdout.write(f"Database {alias} ({homes}{', users' if alias == 'default' else ''})")
        migrate_all(verbosity)
        self.stdout.write("All databases are migrated.")
