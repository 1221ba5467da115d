"""A demo in a folder of its own, and what is left of it after its end."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.kafka.probe import wait_until

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90
END_SECONDS = 5
ELSEWHERE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/nowhere", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}  # must be ignored


@contextmanager
def var_folder() -> Iterator[Path]:
    """A folder for a demo's data, short enough for a socket, removed when nothing uses it any more."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        wait_until(lambda: left_of(Path(folder)) == [], 2 * END_SECONDS, "the demo is gone")


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """`manage.py demo` with its data in `folder`."""
    command = [sys.executable, "manage.py", "demo", *arguments]
    environment = {**os.environ, **ELSEWHERE, "VAR_DIR": str(folder), "COLUMNS": "120"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a demo that serves with its data in `folder`, and ends with the block."""
    running = start(folder, "--port", "0")
    try:
        yield address(running)
    finally:
        running.terminate()
        running.communicate()


def command(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command of `manage.py` on the data in `folder`, and what it said."""
    command = [sys.executable, "manage.py", *arguments]
    environment = {**os.environ, "VAR_DIR": str(folder), **environment}
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60
    )


def address(demo: "subprocess.Popen[str]") -> str:
    """Waits until the demo serves and returns its address."""
    assert demo.stdout is not None
    said: list[str] = []
    for line in demo.stdout:
        said.append(line)
        if line.startswith("API "):
            return str(line).split()[1].removesuffix("/api/v1/")
    raise AssertionError("the demo does not serve: " + "".join(said))


def left_of(folder: Path) -> list[str]:
    """The processes that work on a demo's folder: they name it in their command line or in their environment."""
    return [process.info["name"] for process in psutil.process_iter(["name", "cmdline"]) if works_on(process, str(folder))]


def works_on(process: psutil.Process, folder: str) -> bool:
    try:
        named = [*(process.info["cmdline"] or []), process.environ().get("VAR_DIR", "")]
    except psutil.Error:
        return False
    return any(folder in text for text in named) and process.pid != os.getpid()
