"""`run_consumer NAME`: the long-lived consumer of one service."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consumers import metrics
from consumers.health import heartbeat, probe
from consumers.loop import Loop
from consumers.names import refuse_unknown, refuse_unserved
from consumers.process import Progress, one_line_errors, spare_collector, stop_on_signals
from consumers.rewind import rewind, when
from consumers.routes import ROUTES


class Command(BaseCommand):
    help = "Runs the consumer of a service until it is signalled."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help=", ".join(ROUTES))
        parser.add_argument("--max-messages", type=int, metavar="N", help="end after at least N messages")
        parser.add_argument("--until-idle", action="store_true", help="end when everything is read")
        parser.add_argument("--from", dest="start", metavar="earliest|latest|TIME", help="rewind first; the group must be stopped")
        parser.add_argument("--check-health", action="store_true", help="only tell whether the consumer of that name is well: 0 or 1")

    def handle(self, name: str, **options: Any) -> None:
        refuse_unknown(name)
        if options["check_health"]:
            sys.exit(probe(name))
        refuse_unserved(name)
        if settings.TRANSPORT == "http":
            raise CommandError("TRANSPORT=http needs no consumers: the web takes the events")
        with one_line_errors(), heartbeat(settings.HEARTBEAT_DIR, name) as beat:
            if options["start"]:
                rewind(name, when(options["start"]), timezone.now())
            loop = Loop(name, beat)
            stop_on_signals(loop)
            spare_collector()
            progress, ask = Progress(name), metrics.Now(lambda: metrics.of_loop(loop))
            metrics.serve()

            def each_turn(loop: Loop) -> None:
                progress.show(loop.tally.messages, loop.membership.lag)
                ask()

            loop.run(finished=lambda loop: reached(loop, options["max_messages"], options["until_idle"]), each_turn=each_turn)


def reached(loop: Loop, most: int | None, until_idle: bool) -> bool:
    """Whether a loop has done what was asked for."""
    return (most is not None and loop.tally.messages >= most) or (until_idle and loop.idle)
