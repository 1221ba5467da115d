"""`migrate_all`: migrations of every database in use."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kafka_shop.databases import used_aliases
from kafka_shop.local.migrations import migrate_all, tenants, wait_until_migrated


class Command(BaseCommand):
    help = "Migrates every database in use: the default one, and each service's own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=int, metavar="SECONDS", help="change nothing: wait until somebody else has migrated them")

    def handle(self, *args: Any, verbosity: int, wait: int | None, **options: Any) -> None:
        for alias in used_aliases():
            homes = ", ".join(tenants(alias)) or "no service"
            self.stdout.write(f"Database {alias} ({homes}{', users' if alias == 'default' else ''})")
        if wait is None:
            migrate_all(verbosity)
        elif lacking := wait_until_migrated(seconds=wait):
            raise CommandError(f"after {wait} s {lacking}")
        self.stdout.write("All databases are migrated.")
