"""The running service that is fuzzed: a web and a relay on an empty PostgreSQL of their own, and who calls it."""

import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import rig
from kafka_shop.local import postgres
from kafka_shop.local.processes import Process, Processes

FOLDER = Path(__file__).resolve().parents[2] / "var" / "fuzz"
NO_BROKER = "127.0.0.1:9"  # the services speak HTTP
OWN_SETTINGS = {
    "SIGN_UP": "true",
    "SELF_SERVICE_DEPOSITS": "true",
    "TRANSPORT": "http",
    "FLOOD_SHARE": "1",  # a service that gets nothing but garbage would rightly refuse all events
    "DJANGO_SETTINGS_MODULE": "tests.fuzz.settings",
}


@dataclass(frozen=True)
class Service:
    """Where it is, and the Authorization header of each caller; nobody sends none."""

    address: str
    callers: Mapping[str, Mapping[str, str]]


@contextmanager
def running() -> Iterator[Service]:
    """Starts the service on an empty PostgreSQL and makes its people. Once a process."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe()
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder, database(Path(folder) / "postgres") as url:
        rig.set_up(url, NO_BROKER, Path(folder))
        from kafka_shop.local.plan import shop, webs  # these need Django to be set up
        from kafka_shop.local.readiness import wait, web_is_ready

        [web] = webs(0)
        own = os.environ | OWN_SETTINGS | {"SERVICE_TOKEN": token}
        with Processes(Path(folder) / "log") as processes:
            for process in shop([web]):
                if process.name in {"web", "relay"}:
                    processes.start(with_settings(process, own))
            wait(processes, lambda: web_is_ready(web))
            yield Service(web.address, people() | {"service": bearer(token), "nobody": {}})


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """A server of the run's own, and the URL of an empty database on it."""
    try:
        yield rig.fresh_database(folder)
    finally:
        postgres.leave(folder)


def with_settings(process: Process, settings: Mapping[str, str]) -> Process:
    return replace(process, environment={**settings, **process.environment})


def people() -> dict[str, Mapping[str, str]]:
    """A customer who has one thing of each kind, staff without any permission, and an operator who has them all."""
    from kafka_shop.api.tests.people import user
    from orders.services import seed_catalogue
    from tests.bodies import Things

    seed_catalogue()
    customer, staff, operator = user("carol"), user("eve", staff=True), user("olga", staff=True)
    type(operator).objects.filter(pk=operator.pk).update(is_superuser=True)
    Things(customer)
    return {"customer": signed_in(customer), "staff": signed_in(staff), "operator": signed_in(operator)}


def signed_in(person: object) -> Mapping[str, str]:
    from knox.models import AuthToken

    return bearer(AuthToken.objects.create(user=person)[1])


def another_token(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with a new token of whom they name; as they are when that is nobody."""
    from knox.crypto import hash_token
    from knox.models import AuthToken

    given = headers.get("Authorization", "").removeprefix("Bearer ")
    known = AuthToken.objects.filter(digest=hash_token(given)).first()
    return {**headers, **(signed_in(known.user) if known else {})}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
