"""The embedded PostgreSQL is there for as long as somebody uses it, and no longer."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from kafka_shop.local import postgres

ROOT = Path(__file__).resolve().parents[3]
USER = """
import sys, pathlib
from kafka_shop.local import postgres
postgres.join(pathlib.Path(sys.argv[1]), sys.argv[2:])
print("joined", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as short:  # pytest's own folders are too long for a socket
        yield Path(short) / "postgres"
        wait_until(lambda: not answers(Path(short) / "postgres"))


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a process that uses the server until its input ends."""
    users: list[subprocess.Popen[str]] = []

    def start(*databases: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", "-c", USER, str(folder), *databases]
        user = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        users.append(user)
        return user

    yield start
    for user in users:
        if user.poll() is None:
            user.kill()
        user.communicate()


def joined(user: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
    assert user.stdout and user.stdout.readline() == "joined\n"
    return user


def answers(folder: Path, database: str = "postgres") -> bool:
    try:
        psycopg.connect(host=str(folder), user="postgres", dbname=database).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_it_makes_the_databases_says_nothing_and_stops_with_its_last_user(
    folder: Path, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    first, second = joined(start("shop", "billing")), joined(start("shop"))
    assert answers(folder, "shop") and answers(folder, "billing")

    assert first.communicate() == ("", "")
    assert answers(folder, "shop")
    assert second.communicate() == ("", "")

    wait_until(lambda: not answers(folder))


def test_it_stops_after_its_only_user_was_killed(folder: Path, start: Callable[..., "subprocess.Popen[str]"]) -> None:
    user = joined(start())

    os.kill(user.pid, signal.SIGKILL)

    wait_until(lambda: not answers(folder), 5)


def test_users_that_come_and_go_at_once_all_find_it_and_its_data_stay(folder: Path, start: Callable[..., "subprocess.Popen[str]"]) -> None:
    for _ in range(3):
        users = [start("shop") for _ in range(3)]
        for user in users:
            joined(user)
            assert answers(folder, "shop")
            assert user.communicate() == ("", "")

    joined(start())
    assert answers(folder, "shop")


def test_a_server_that_was_killed_is_started_again(folder: Path, start: Callable[..., "subprocess.Popen[str]"]) -> None:
    user = joined(start("shop"))
    os.kill(int((folder / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    user.communicate()

    joined(start())

    assert answers(folder, "shop")


def test_a_path_too_long_for_a_socket_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(postgres.PostgresFailed, match=r"too long .* set VAR_DIR to a shorter one"):
        postgres.join(tmp_path / ("long" * 30) / "postgres")
    assert list(tmp_path.iterdir()) == []
