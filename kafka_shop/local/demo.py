"""The demo: everything on this machine, a walk through it, and then a shop to try."""

import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from rich.console import Console

from kafka_shop.local import broker, migrations, people, postgres, report, wheel
from kafka_shop.local.customer import WalkFailed
from kafka_shop.local.plan import Web, consumers, manage, shop, webs
from kafka_shop.local.processes import Process, ProcessEnded, Processes
from kafka_shop.local.readiness import NotReady, consumers_are_ready, owners, wait, web_is_ready
from kafka_shop.local.turn import alone
from kafka_shop.local.walk import walk
from orders.services import seed_catalogue


def run(*, port: int, once: bool, apart: bool, console: Console) -> None:
    """Starts the shop, walks through it, shows what happened, and serves until Ctrl-C, unless `once`.

    Raises PortInUse, DemoRuns, broker.BrokerRuns, postgres.PostgresFailed, NotReady, ProcessEnded, WalkFailed.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)
    rooms = webs(port, apart=apart)
    with alone(settings.VAR_DIR), Processes(settings.VAR_DIR / "log") as processes, explained(processes):
        if needs_broker():
            broker.refuse_second(settings.EMBEDDED_BROKER_FILE)
        prepare_data(console)
        start(processes, rooms, console)
        with report.step(console, report.way(rooms)):
            addresses = {service: web.address for web in rooms for service in web.services}
            trips = walk(addresses, processes.check, on_request=settings.BILLING_MODE == "on_request")
        console.print(report.table(trips))
        if not once:
            serve(processes, rooms, console)


def needs_broker() -> bool:
    """Whether the demo runs a broker of its own."""
    return settings.TRANSPORT == "kafka" and not settings.KAFKA_BOOTSTRAP_SERVERS


def prepare_data(console: Console) -> None:
    """The databases with their tables, the catalogue and the people."""
    if settings.EMBEDDED_DATABASES:
        folder = settings.VAR_DIR / "postgres"
        if notice := wheel.root_notice(folder):
            console.print(notice, soft_wrap=True)
        with report.step(console, "Starting PostgreSQL"):
            postgres.join(folder, settings.EMBEDDED_DATABASES)
    with report.step(console, "Making tables, a catalogue and people"):
        migrations.migrate_all()
        seed_catalogue()
        people.seed_people()


def start(processes: Processes, rooms: Sequence[Web], console: Console) -> None:
    """Starts broker, webs, relays and consumers, and waits until they serve."""
    if needs_broker():
        with report.step(console, "Starting the broker"):
            processes.start(Process(name="broker", command=manage("run_broker"), outlives=True))
            wait(processes, lambda: broker.running(settings.EMBEDDED_BROKER_FILE) is not None)
    elif consumers():
        call_command("create_topics", verbosity=0)
    parts = list(shop(rooms))
    with report.step(console, f"Starting {', '.join(part.name for part in parts)}"):
        before = owners()
        for part in parts:
            processes.start(part)
        wait(processes, lambda: all(map(web_is_ready, rooms)) and consumers_are_ready(before))


def serve(processes: Processes, rooms: Sequence[Web], console: Console) -> None:
    """Says where the shop is, until Ctrl-C or SIGTERM. Raises ProcessEnded when a process ends by itself."""
    try:
        report.where(console, rooms)
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
