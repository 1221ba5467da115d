"""`make demo`: the whole shop on this machine, from nothing to two letters, and nothing left behind."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests import demo
from tests.kafka.probe import wait_until

ROWS = ("accepted", "billed", "settled", "letter", "balance")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The data of all demos of this module: each start after the first finds them."""
    with demo.var_folder() as folder:
        yield folder


@pytest.fixture
def running(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    running = demo.start(folder, "--port", "0")
    yield running
    running.kill()
    running.communicate()


def once(folder: Path) -> str:
    process = demo.start(folder, "--once", "--port", "0")
    output, _ = process.communicate(timeout=demo.START_SECONDS)
    assert process.returncode == 0, output
    return output


def row(output: str, name: str) -> str:
    return next(line for line in output.splitlines() if name in line)


def nothing_is_left(folder: Path) -> None:
    wait_until(lambda: demo.left_of(folder) == [], demo.END_SECONDS, f"no process is left: {demo.left_of(folder)}")


def test_once_shows_a_paid_and_a_refused_order_and_leaves_nothing(folder: Path) -> None:
    output = once(folder)

    assert all(row(output, name) for name in ROWS)
    assert "paid" in row(output, "billed") and "declined insufficient_funds" in row(output, "billed")
    assert "paid" in row(output, "settled") and "rejected" in row(output, "settled")
    nothing_is_left(folder)


def test_a_second_start_keeps_the_data_and_walks_again(folder: Path) -> None:
    first, second = row(once(folder), "balance"), row(once(folder), "balance")

    bob_before, bob_after = (float(each.split("│")[4].split()[0]) for each in (first, second))
    assert bob_after == bob_before + 100


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it(folder: Path, running: "subprocess.Popen[str]", number: int) -> None:
    demo.address(running)

    running.send_signal(number)

    nothing_is_left(folder)
    assert running.wait() == 0


def test_nothing_outlives_a_killed_demo(folder: Path, running: "subprocess.Popen[str]") -> None:
    address = demo.address(running)
    assert len(demo.left_of(folder)) > 8

    running.kill()
    running.wait()

    nothing_is_left(folder)
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_it_ends_when_a_part_of_it_dies_and_says_which(folder: Path, running: "subprocess.Popen[str]") -> None:
    demo.address(running)
    relay = next(each for each in psutil.Process(running.pid).children(recursive=True) if "run_relay" in each.cmdline())

    os.kill(relay.pid, signal.SIGKILL)
    output, _ = running.communicate(timeout=2 * demo.END_SECONDS)

    assert running.returncode == 1
    assert output.splitlines()[-1].startswith("Error: relay ended (exit code -9); its log is ")
    nothing_is_left(folder)


def test_a_port_in_use_is_a_clear_error_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = demo.start(tmp_path, "--port", str(port))
        output, _ = process.communicate(timeout=demo.START_SECONDS)

    assert (process.returncode, output) == (1, f"Error: port {port} is in use: choose another with --port N, or --port 0 for a free one\n")
    assert list(tmp_path.iterdir()) == []


def test_two_demos_on_the_same_data_are_refused(folder: Path, running: "subprocess.Popen[str]") -> None:
    demo.address(running)

    second = demo.start(folder, "--once", "--port", "0")
    output, _ = second.communicate(timeout=demo.START_SECONDS)

    assert second.returncode == 1
    assert "an embedded broker runs already" in output
    assert running.poll() is None
