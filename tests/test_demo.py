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

from kafka_shop.local.variants import demo_environment
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


def once(folder: Path, *arguments: str) -> str:
    process = demo.start(folder, "--once", "--port", "0", *arguments)
    output, _ = process.communicate(timeout=demo.START_SECONDS)
    assert process.returncode == 0, output
    return output


def row(output: str, name: str) -> str:
    return next(line for line in output.splitlines() if line.startswith(f"│ {name} "))


def parts(output: str) -> list[str]:
    """The processes that a demo said it started, the broker aside."""
    started = next(line for line in output.splitlines() if line.startswith("Starting ") and "relay" in line)
    return started.removeprefix("Starting ").split(" …")[0].split(", ")


def nothing_is_lost(folder: Path, options: str) -> None:
    audit = demo.command(folder, "audit", **demo_environment(options.split()))
    assert audit.returncode == 0, audit.stdout
    assert "0 in flight\nclean" in audit.stdout and "no orders checked" not in audit.stdout


def nothing_is_left(folder: Path) -> None:
    wait_until(lambda: demo.left_of(folder) == [], demo.END_SECONDS, f"no process is left: {demo.left_of(folder)}")


def test_once_shows_a_paid_and_a_refused_order_and_leaves_nothing(folder: Path) -> None:
    output = once(folder)

    assert all(row(output, name) for name in ROWS)
    assert "paid" in row(output, "billed") and "declined insufficient_funds" in row(output, "billed")
    assert "paid" in row(output, "settled") and "rejected" in row(output, "settled")
    nothing_is_left(folder)


@pytest.mark.parametrize(
    ("options", "processes"), [("", 5), ("--transport http", 2), ("--apart", 9), ("--apart --transport http", 6)], ids=str
)
def test_each_variant_pays_and_refuses_and_loses_nothing(folder: Path, options: str, processes: int) -> None:
    output = once(folder, *options.split())

    assert "paid" in row(output, "settled") and "rejected" in row(output, "settled")
    assert len(parts(output)) == processes
    assert ("Starting the broker" in output) == ("http" not in options)
    assert ("orders (http://127.0.0.1:" in output) == ("--apart" in options)
    nothing_is_lost(folder, options)


def test_on_request_customers_pay_or_cancel(folder: Path) -> None:
    output = once(folder, "--billing", "on_request")

    assert row(output, "billed").count("open") == 2
    assert "paid" in row(output, "pays") and "409 Conflict, stays open" in row(output, "pays")
    assert "paid" in row(output, "settled") and "cancelled" in row(output, "settled")
    assert "Your order is cancelled" in row(output, "letter")
    assert "paid" in row(output, "invoice") and "void" in row(output, "invoice")
    nothing_is_lost(folder, "--billing on_request")


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


@pytest.mark.parametrize("transport", ["kafka", "http"])
def test_two_demos_on_the_same_data_are_refused(folder: Path, transport: str) -> None:
    options = ["--port", "0", "--transport", transport]
    with demo.start(folder, *options) as running:
        demo.address(running)
        second = demo.start(folder, "--once", *options)
        output, _ = second.communicate(timeout=demo.START_SECONDS)
        still_there = running.poll() is None
        running.terminate()

    assert (second.returncode, still_there) == (1, True)
    assert output == f"Error: a demo runs already on the data in {folder}: end it first, or set another VAR_DIR\n"
