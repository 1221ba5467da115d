"""`run_relay`: publishes the outbox and sweeps. More than one may run: they stand by for each other."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from consumers import metrics
from consumers.health import heartbeat, probe
from consumers.process import Progress, one_line_errors, spare_collector, stop_on_signals
from consumers.relay import Relay


class Command(BaseCommand):
    help = "Publishes the outbox and sweeps, until it is signalled."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check-health", action="store_true", help="only tell whether the relay is well: 0 or 1")

    def handle(self, **options: Any) -> None:
        if options["check_health"]:
            sys.exit(probe("relay"))
        with one_line_errors(), heartbeat(settings.HEARTBEAT_DIR, "relay") as beat:
            relay = Relay(beat)
            stop_on_signals(relay)
            spare_collector()
            progress, ask = Progress("relay"), metrics.Now(lambda: metrics.of_relay(relay, timezone.now()))
            metrics.serve()

            def each_turn(relay: Relay) -> None:
                progress.show(relay.published, relay.pending)
                ask()

            relay.run(each_turn=each_turn)
