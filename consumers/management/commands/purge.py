"""`purge`: deletes what nobody needs any more, for those who say how old that is."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from consumers.bars import bar
from consumers.process import one_line_errors, stop_on_signals
from consumers.purging import PURGES, Purge, Purger

FEWEST_DAYS = 7  # so long a lost log is published again, and keys are promised
HELP = {
    "letters": "letters that were written more than so many days ago",
    "keys": "idempotency keys; the relay forgets them after 7 days by itself, as long as it keeps up",
    "events": "closed dead letters with their messages; choose more days than the topics keep",
}


class Command(BaseCommand):
    help = "Deletes old letters, idempotency keys and closed dead letters, in small steps, while the shop is open. Money and orders stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name in PURGES:
            parser.add_argument(f"--{name}", type=days, metavar="DAYS", help=HELP[name])
        parser.add_argument("--dry-run", action="store_true", help="only count what would be deleted")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        ages = {name: options[name] for name in PURGES if options[name] is not None}
        if not ages:
            raise CommandError("what? Give --letters, --keys or --events with a number of days: nothing is deleted by itself")
        if "letters" in ages and "notify" not in settings.SERVICES:
            raise CommandError("letters are notify's, which this process does not serve: add it to SERVICES, or leave --letters out")
        now = timezone.now()
        with one_line_errors():
            purges = [PURGES[name](now - timedelta(days=age)) for name, age in ages.items()]
            if dry_run:
                self._write(*(f"{each.count():,} {each.name} would be deleted" for each in purges))
            else:
                self._purge(purges)

    def _purge(self, purges: list[Purge]) -> None:
        purger = Purger()
        stop_on_signals(purger)
        with bar() as progress:
            for each in purges:
                task = progress.add_task(each.name, total=each.count())
                deleted = purger.run(each, partial(progress.advance, task))
                self._write(f"{deleted:,} {each.name} deleted")
        if purger.stopped:
            self._write("stopped: the same command goes on from here")

    def _write(self, *lines: str) -> None:
        self.stdout.write("\n".join(lines))


def days(text: str) -> int:
    """Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or not FEWEST_DAYS <= int(text) < 100_000:
        raise ArgumentTypeError(f"{text!r} is not a number of days, {FEWEST_DAYS} at least")
    return int(text)
