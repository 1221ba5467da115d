"""The embedded PostgreSQL: a real server from a wheel, without a port, shared by all processes that join it.

Who uses the server holds a shared lock on a file beside its data; the kernel releases it however the process ends. A guard
(`postgres_guard.py`) waits for the same lock exclusively and stops the server when the last user is gone.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from kafka_shop.local import wheel

SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes: sun_path has 104 on macOS and 108 on Linux, one of them for the end
START_SECONDS = 20
PAUSE_SECONDS = 0.2
USER = "postgres"


class PostgresFailed(Exception):
    """The embedded PostgreSQL cannot serve; the message says why and what to do."""


_joined: dict[Path, int] = {}  # by data folder: the descriptor that holds the shared lock


def join(folder: Path, databases: Iterable[str] = ("shop",)) -> None:
    """Uses the server on `folder` until this process ends: starts it when nobody else did, and makes the databases that are missing.

    Raises PostgresFailed.
    """
    if folder in _joined:
        return
    _refuse_unusable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    users = _joined[folder] = os.open(_beside(folder, "users"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(users, fcntl.LOCK_SH)  # waits while a guard is stopping the server
    _ensure_guard(folder)
    _ensure_running(folder)
    with _connect(folder) as connection:
        for name in databases:
            _ensure_database(connection, name)


def leave(folder: Path) -> None:
    """Ends this process's use of the server; the last to leave has it stopped."""
    if folder in _joined:
        os.close(_joined.pop(folder))


def _refuse_unusable(folder: Path) -> None:
    length = len(os.fsencode(folder / SOCKET))
    if length > LONGEST_SOCKET_PATH:
        excess = f"{length} bytes with the socket's name, at most {LONGEST_SOCKET_PATH}"
        raise PostgresFailed(f"the path {folder} is too long for the embedded PostgreSQL ({excess}): set VAR_DIR to a shorter one")
    if "'" in str(folder):
        raise PostgresFailed(f"the path {folder} has a quote in it: set VAR_DIR to one without for the embedded PostgreSQL")


def _beside(folder: Path, name: str) -> Path:
    return folder.with_name(f"{folder.name}.{name}")


def _ensure_guard(folder: Path) -> None:
    """Starts a guard unless one watches. It inherits the lock that says so, already taken: there is no moment with two or none."""
    with _beside(folder, "guard").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        guard = [sys.executable, "-m", "kafka_shop.local.postgres_guard", str(folder), str(_beside(folder, "users")), str(lock.fileno())]
        null, root = subprocess.DEVNULL, Path(__file__).parents[2]
        subprocess.run(guard, stdin=null, stdout=null, stderr=null, pass_fds=[lock.fileno()], cwd=root, check=True)


def _connect(folder: Path) -> "psycopg.Connection[Any]":
    return psycopg.connect(host=str(folder), user=USER, dbname="postgres", autocommit=True, connect_timeout=5)


def _answers(folder: Path) -> bool:
    try:
        _connect(folder).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_running(folder: Path) -> None:
    """Waits for a server that is starting, starts it when there is none. One process at a time does so."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(folder):
        with _beside(folder, "start").open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            problem = "" if _answers(folder) else wheel.start(folder, START_SECONDS)
        if problem and time.monotonic() > deadline:
            raise PostgresFailed(f"the embedded PostgreSQL does not start ({problem}); its log is {folder / 'log'}")
        time.sleep(PAUSE_SECONDS if problem else 0)


def _ensure_database(connection: "psycopg.Connection[Any]", name: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # another process was faster
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
