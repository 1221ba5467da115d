"""The real parts that a measurement runs on: a PostgreSQL and a one-node Kafka of its own, under var/bench, and the shop's settings."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg

from kafka_shop.local import postgres
from tests.kafka.cluster import KafkaCluster

FOLDER = Path(__file__).resolve().parents[1] / "var" / "bench"
DATABASE = "bench"
LEFT_TO_DEFAULTS = (
    *("ORDERS_DATABASE_URL", "BILLING_DATABASE_URL", "NOTIFY_DATABASE_URL", "SERVICES", "TRANSPORT", "BILLING_MODE"),
    *("KAFKA_CONFIG", "KAFKA_GROUP_PROTOCOL", "BATCH_SIZE", "SWEEP_AFTER_SECONDS", "CURRENCY", "WEB_THREADS", "METRICS_PORT"),
    *("ORDER_TOPIC", "BILLING_TOPIC", "NOTIFY_TOPIC"),
)


@contextmanager
def running() -> Iterator[KafkaCluster]:
    """Starts both on empty disks, and sets Django up on them. Once a process."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder, KafkaCluster(Path(folder)) as kafka:
        set_up(fresh_database(FOLDER / "postgres"), kafka.bootstrap, FOLDER)
        yield kafka


def set_up(database_url: str, bootstrap: str, var: Path) -> None:
    """Sets Django up as in production, whatever the environment says, and migrates. Once a process."""
    os.environ.update(_environment(database_url, bootstrap, var))
    django.setup()
    from kafka_shop.local.migrations import migrate_all  # it needs Django to be set up

    migrate_all()


def fresh_database(folder: Path) -> str:
    """The URL of an empty database on a server that stops with this process."""
    postgres.join(folder)
    with psycopg.connect(host=str(folder), user=postgres.USER, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    return f"postgres:///{folder}/{DATABASE}"


def _environment(database_url: str, bootstrap: str, var: Path) -> dict[str, str]:
    return dict.fromkeys(LEFT_TO_DEFAULTS, "") | {
        "DJANGO_SETTINGS_MODULE": "kafka_shop.settings",
        "SHOP_IGNORE_DOTENV": "1",
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "DATABASE_URL": database_url,
        "PGUSER": postgres.USER,
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "VAR_DIR": str(var),
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "json",
    }
