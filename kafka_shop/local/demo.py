"""The demo: everything on this machine, a walk through it, and then a shop to try."""

import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
from django.conf import settings
from django.core.management import call_command
from rich.console import Console

from consumers.models import Position
from consumers.routes import ROUTES
from kafka_shop.databases import served_aliases
from kafka_shop.local import broker, migrations, people, postgres, report, wheel
from kafka_shop.local.processes import Process, ProcessEnded, Processes
from kafka_shop.local.walk import WalkFailed, walk
from orders.services import seed_catalogue

HOST = "127.0.0.1"
GUNICORN = "-m gunicorn kafka_shop.wsgi --worker-class gthread --graceful-timeout 1 --no-control-socket"
READY_SECONDS = 60.0
PAUSE_SECONDS = 0.05
Owners = dict[tuple[str, str, int], UUID | None]


class PortInUse(Exception):
    """Somebody else listens on the port."""


class NotReady(Exception):
    """The processes run but do not serve."""


def run(*, port: int, once: bool, console: Console) -> None:
    """Starts the shop, walks through it, shows what happened, and serves until Ctrl-C, unless `once`.

    Raises PortInUse, broker.BrokerRuns, postgres.PostgresFailed, NotReady, ProcessEnded, WalkFailed.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)
    port = usable(port)
    if not settings.KAFKA_BOOTSTRAP_SERVERS:
        broker.refuse_second(settings.EMBEDDED_BROKER_FILE)
    prepare_data(console)
    with Processes(settings.VAR_DIR / "log") as processes, explained(processes):
        start(processes, port, console)
        address = f"http://{HOST}:{port}"
        with report.step(console, "Walking from account to letter, paid and refused"):
            trips = walk(address, processes.check)
        console.print(report.table(trips))
        if not once:
            serve(processes, address, console)


def usable(port: int) -> int:
    """The port, or a free one for 0. Raises PortInUse."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortInUse(f"port {port} is in use: choose another with --port N, or --port 0 for a free one") from error
        return int(probe.getsockname()[1])


def prepare_data(console: Console) -> None:
    """The database with its tables, the catalogue and the people."""
    if settings.EMBEDDED_POSTGRES:
        folder = settings.VAR_DIR / "postgres"
        if notice := wheel.root_notice(folder):
            console.print(notice, soft_wrap=True)
        with report.step(console, "Starting PostgreSQL"):
            postgres.join(folder)
    with report.step(console, "Making tables, a catalogue and people"):
        migrations.migrate_all()
        seed_catalogue()
        people.seed_people()


def start(processes: Processes, port: int, console: Console) -> None:
    """Starts broker, web, relay and consumers, and waits until they serve."""
    if settings.KAFKA_BOOTSTRAP_SERVERS:
        call_command("create_topics", verbosity=0)
    else:
        with report.step(console, "Starting the broker"):
            processes.start(Process(name="broker", command=manage("run_broker"), outlives=True))
            wait(processes, lambda: broker.running(settings.EMBEDDED_BROKER_FILE) is not None)
    with report.step(console, "Starting web, relay and three consumers"):
        before = owners()
        for process in shop(port):
            processes.start(process)
        wait(processes, lambda: web_is_ready(port) and consumers_are_ready(before))


def shop(port: int) -> Iterator[Process]:
    """The shop's processes."""
    bound = ["--bind", f"{HOST}:{port}", "--threads", str(settings.WEB_THREADS)]
    yield Process(name="web", command=[sys.executable, *GUNICORN.split(), *bound])
    yield Process(name="relay", command=manage("run_relay"))
    for name in ROUTES:
        yield Process(name=name, command=manage("run_consumer", name))


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def wait(processes: Processes, ready: Callable[[], bool]) -> None:
    """Waits until `ready` holds. Raises NotReady after READY_SECONDS, ProcessEnded when a process ends meanwhile."""
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        processes.check()
        if time.monotonic() > deadline:
            raise NotReady(f"not ready within {READY_SECONDS:g} s; the logs are in {settings.VAR_DIR / 'log'}")
        time.sleep(PAUSE_SECONDS)


def web_is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/ready", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def owners() -> Owners:
    """Who holds which partition of which consumer."""
    positions = (position for alias in served_aliases() for position in Position.objects.using(alias))
    return {(position.consumer, position.topic, position.partition): position.owner for position in positions}


def consumers_are_ready(before: Owners) -> bool:
    """Every consumer has claimed a partition that it did not own before."""
    claimed = {key[0] for key, owner in owners().items() if owner is not None and owner != before.get(key)}
    return claimed >= set(ROUTES)


def serve(processes: Processes, address: str, console: Console) -> None:
    """Says where the shop is, until Ctrl-C or SIGTERM. Raises ProcessEnded when a process ends by itself."""
    try:
        report.where(console, address)
        processes.wait()
    except KeyboardInterrupt:
        console.print("Stopping.")


@contextmanager
def explained(processes: Processes) -> Iterator[None]:
    """When the demo fails, shows the last lines that its processes logged."""
    try:
        yield
    except (NotReady, ProcessEnded, WalkFailed):
        sys.stderr.writelines(f"{line}\n" for line in processes.last_lines())
        raise


def end_on_signals() -> None:
    """SIGTERM and a closed terminal end the demo as Ctrl-C does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT too: a shell starts background jobs with it ignored
        signal.signal(number, signal.default_int_handler)
