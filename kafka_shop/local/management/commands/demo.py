"""`demo`: the whole shop on this machine, and a walk through it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from kafka_shop.local.variants import add_options


class Command(BaseCommand):
    help = "Starts everything on this machine, takes two orders through it, and serves until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="exit after the walk")
        parser.add_argument("--port", type=port, default=8000, help="the first port to serve on, 0 for free ones (8000)")
        add_options(parser)

    def handle(self, *args: Any, port: int, once: bool, apart: bool, **options: Any) -> None:
        try:
            from kafka_shop.local import demo  # here, because production does not install what it needs
        except ModuleNotFoundError as error:
            raise CommandError(f"{error.name} is not installed: run `make demo`, or install requirements/local.txt") from error
        demo.end_on_signals()
        demo.run(port=port, once=once, apart=apart, console=Console(highlight=False))


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number
