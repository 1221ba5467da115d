"""Which processes the demo runs."""

import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from consumers.routes import ROUTES
from kafka_shop.local.processes import Process

HOST = "127.0.0.1"
SERVICES = ("orders", "billing", "notify")


class PortInUse(Exception):
    """Somebody else listens on the port."""


@dataclass(frozen=True)
class Web:
    """A web, the services that it serves, and what the names of its processes begin with."""

    port: int
    services: Sequence[str] = SERVICES
    prefix: str = ""

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"


def webs(port: int, *, apart: bool = False) -> list[Web]:
    """One web for all services; apart one for each, on ports in a row. Free ports for 0. Raises PortInUse."""
    if not apart:
        return [Web(usable(port))]
    return [Web(usable(port and port + place), [service], f"{service}-") for place, service in enumerate(SERVICES)]


def usable(port: int) -> int:
    """The port, or a free one for 0. Raises PortInUse."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise PortInUse(f"port {port} is in use: choose another with --port N, or --port 0 for a free one") from error
        return int(probe.getsockname()[1])


def shop(webs: Sequence[Web]) -> Iterator[Process]:
    """The shop's processes: for each web its relay and, over Kafka, a consumer a service."""
    addresses = {f"{service.upper()}_URL": web.address for web in webs for service in web.services}
    for web in webs:
        own = {**addresses, "SERVICES": ",".join(web.services)}
        yield Process(name=f"{web.prefix}web", command=manage("run_web", "--bind", f"{HOST}:{web.port}"), environment=own)
        yield Process(name=f"{web.prefix}relay", command=manage("run_relay"), environment=own)
        for name in [each for each in web.services if each in consumers()]:
            yield Process(name=f"{web.prefix}consumer" if web.prefix else name, command=manage("run_consumer", name), environment=own)


def consumers() -> set[str]:
    """The consumers that are needed: over HTTP the webs take the events."""
    return set(ROUTES) if settings.TRANSPORT == "kafka" else set()


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]
