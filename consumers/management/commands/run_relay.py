"""`run_relay`: publishes the outbox and sweeps. More than one may run: they stand by for each other."""

from typing import Any

from django.core.management.base import BaseCommand

from consumers.process import Progress, one_line_errors, spare_collector, stop_on_signals
from consumers.relay import Relay


class Command(BaseCommand):
    help = "Publishes the outbox and sweeps, until it is signalled."

    def handle(self, **_: Any) -> None:
        with one_line_errors():
            relay = Relay()
            stop_on_signals(relay)
            spare_collector()
            progress = Progress("relay")
            relay.run(each_turn=lambda relay: progress.show(relay.published, relay.pending))
