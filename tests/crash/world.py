"""What a shop consists of between two processes: the rows of its database and its logs. They are saved once and restored for each point."""

from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import connection, connections

from kafka_shop.local import migrations, postgres
from tests.crash import children
from tests.crash.logs import Logs

TEMPLATE = "crash"
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
SEQUENCES = "SELECT format('%I', sequencename), last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
SET_SEQUENCES = "SELECT setval(name::regclass, value) FROM unnest(%s::text[], %s::bigint[]) AS known(name, value)"


class World(NamedTuple):
    """A shop at rest, or between two steps of it."""

    tables: dict[str, bytes]  # the rows of each, as COPY writes them
    sequences: dict[str, int]
    logs: dict[str, bytes]


def make_databases(count: int) -> None:
    """A migrated template, and `count` copies of it."""
    postgres.join(settings.VAR_DIR / "postgres")
    with psycopg.connect(host=str(settings.VAR_DIR / "postgres"), user="postgres", dbname="postgres", autocommit=True) as server:
        for name in [TEMPLATE, *map(database_name, range(count))]:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        children.result(migrate)
        for name in map(database_name, range(count)):
            server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")  # processes die here, PostgreSQL does not


def migrate() -> None:
    connection.settings_dict["NAME"] = TEMPLATE
    migrations.migrate_all()


def database_name(number: int) -> str:
    return f"{TEMPLATE}_{number}"


def stand_on(number: int, folder: Path) -> None:
    """Gives this process, and all that it forks, a database and logs of its own."""
    connection.settings_dict["NAME"] = database_name(number)
    settings.KAFKA_BOOTSTRAP_SERVERS = str(folder)


def logs() -> Logs:
    """The logs of this process's broker."""
    return Logs(Path(settings.KAFKA_BOOTSTRAP_SERVERS))


def begin() -> None:
    """A shop without a row and without a message."""
    restore(World(dict.fromkeys(_tables(), b""), {}, {}))
    logs().begin("first")


def save() -> World:
    cursor = _cursor()
    return World({name: _copied(cursor, name) for name in _tables()}, dict(cursor.execute(SEQUENCES).fetchall()), logs().save())


def restore(world: World) -> None:
    """Puts every row back, those included that triggers keep immutable. The process has no connection afterwards."""
    cursor = _cursor()
    with cursor.connection.transaction():
        cursor.execute("SET LOCAL session_replication_role = replica;" + "".join(f'DELETE FROM "{name}";' for name in world.tables))
        for name, rows in world.tables.items():
            if rows:
                _copy(cursor, name, rows)
        cursor.execute(SET_SEQUENCES, [list(world.sequences), list(world.sequences.values())])
    connections.close_all()


def _tables() -> list[str]:
    return [name for name in connection.introspection.table_names() if name not in KEPT]


def _copied(cursor: "psycopg.Cursor[Any]", table: str) -> bytes:
    with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(bytes(part) for part in copy)


def _copy(cursor: "psycopg.Cursor[Any]", table: str, rows: bytes) -> None:
    with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
        copy.write(rows)


def _cursor() -> "psycopg.Cursor[Any]":
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)
