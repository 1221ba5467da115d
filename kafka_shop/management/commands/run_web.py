"""`run_web`: the web, in a process and as many threads as WEB_THREADS says."""

from argparse import ArgumentParser, ArgumentTypeError

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import get_internal_wsgi_application

from kafka_shop.server import serve


class Command(BaseCommand):
    help = "Serves the web, until it is signalled."
    requires_system_checks: list[str] = []  # the application's own start checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bind", type=address, default="127.0.0.1:8000", metavar="HOST:PORT", help="where it listens (default: %(default)s)"
        )

    def handle(self, *, bind: tuple[str, int], **_: object) -> None:
        host, port = bind
        try:
            serve(get_internal_wsgi_application(), host=host, port=port, threads=settings.WEB_THREADS)
        except OSError as error:
            reason = str(error.strerror).partition(" (")[0]  # Python repeats the address
            raise CommandError(f"cannot listen at {host}:{port}: {reason}; choose another with --bind HOST:PORT") from error


def address(text: str) -> tuple[str, int]:
    """HOST:PORT in two; an IPv6 address may have brackets. Raises ArgumentTypeError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8000")
    return host.strip("[]"), int(port)
