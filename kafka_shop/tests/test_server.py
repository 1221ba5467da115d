"""The web's server as a process: how it starts, and how it ends."""

import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path

import psutil
import pytest

from kafka_shop.management.commands.run_web import address

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
ECHO = """
import sys
from kafka_shop import server

server.END_SECONDS = float(sys.argv[1])

def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

server.serve(echo, host="127.0.0.1", port=int(sys.argv[2]), threads=2)
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def process(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    with serving(port) as process:
        yield process


@contextmanager
def serving(port: int, *, end_seconds: float = START_SECONDS) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that answers each body with itself."""
    command = [sys.executable, "-c", ECHO, str(end_seconds), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: listens(port))
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def asked(port: int) -> Iterator[HTTPConnection]:
    """A request that is worked on: the rest of its body, `end`, is not sent yet."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", "6")
        connection.putheader("Expect", "100-continue")
        connection.endheaders(b"the")
        assert connection.sock.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"  # the application reads
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_request_be_answered_and_takes_no_other(
    process: "subprocess.Popen[bytes]", port: int, number: signal.Signals
) -> None:
    with asked(port) as connection:
        process.send_signal(number)
        until(lambda: not listens(port))
        connection.send(b"end")
        assert connection.getresponse().read() == b"theend"
    assert process.wait(START_SECONDS) == 0


def test_a_second_signal_ends_it_at_once(process: "subprocess.Popen[bytes]", port: int) -> None:
    with asked(port) as connection:
        process.terminate()
        until(lambda: not listens(port))
        process.terminate()
        assert process.wait(START_SECONDS) == 128 + signal.SIGTERM
        with pytest.raises((RemoteDisconnected, ConnectionError)):
            connection.getresponse()


def test_a_request_without_an_end_does_not_keep_it(port: int) -> None:
    with serving(port, end_seconds=0.1) as process, asked(port):
        process.terminate()
        assert process.wait(START_SECONDS) == 0


def test_nothing_outlives_it_when_it_is_killed(process: "subprocess.Popen[bytes]", port: int) -> None:
    assert psutil.Process(process.pid).children() == []
    process.kill()
    process.wait()
    assert not listens(port)


def test_two_do_not_share_a_port(process: "subprocess.Popen[bytes]", port: int) -> None:
    second = run_web("--bind", f"127.0.0.1:{port}")

    assert second.returncode == 1
    assert f"cannot listen at 127.0.0.1:{port}: Address already in use; choose another with --bind HOST:PORT" in second.stderr
    assert process.poll() is None


def test_a_wrong_setting_ends_the_start(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSPORT", "pigeon")
    refused = run_web("--bind", f"127.0.0.1:{port}")

    assert refused.returncode == 1
    assert "TRANSPORT is 'pigeon', not one of kafka, http" in refused.stderr


@pytest.mark.parametrize("text", ["8000", "127.0.0.1:", ":8000", "127.0.0.1:http", "127.0.0.1:65536"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"is not HOST:PORT, such as 127\.0\.0\.1:8000"):
        address(text)


def test_an_address_may_be_of_version_6() -> None:
    assert address("[::1]:8000") == ("::1", 8000)


def run_web(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", "run_web", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=START_SECONDS)
