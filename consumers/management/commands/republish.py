"""`republish --since TIME`: puts every fact since then back in the outbox, the remedy for a lost range."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consumers.process import one_line_errors
from consumers.republication import republish_since
from consumers.rewind import when
from consumers.routes import REPUBLISH


class Command(BaseCommand):
    help = "Puts every fact of the served services since a time in the outbox again. What is known changes nothing where it arrives."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", required=True, metavar="TIME", help="ISO 8601 with its zone, such as 2026-01-31T09:00:00Z")

    def handle(self, since: str, **_: Any) -> None:
        start = when(since)
        if isinstance(start, str):
            raise CommandError("--since takes a time, such as 2026-01-31T09:00:00Z")
        with one_line_errors():
            for service in set(REPUBLISH) & set(settings.SERVICES):
                republish_since(service, start, timezone.now())
                self.stdout.write(f"{service}: its facts are in the outbox again, the relay publishes them after the new ones")
