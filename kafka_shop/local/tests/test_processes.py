"""No process that was started outlives its owner, and one that ends by itself is heard of."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from kafka_shop.local.processes import Process, ProcessEnded, Processes

ROOT = Path(__file__).resolve().parents[3]
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("bye", time.monotonic())))
print("up", flush=True)
time.sleep(600)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {STUBBORN}"
OWNER = f"""
import sys, pathlib
from kafka_shop.local.processes import Process, Processes
with Processes(pathlib.Path(sys.argv[1])) as processes:
    processes.start(Process(name="parent", command=[sys.executable, "-c", {PARENT!r}]))
    processes.start(Process(name="polite", command=[sys.executable, "-c", {POLITE!r}]))
    processes.wait()
"""


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def heed_ctrl_c() -> None:
    """In a child: what a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that owns three others: one that ends when asked, one that does not, and that one's child."""
    owner = subprocess.Popen([*python(OWNER), str(tmp_path)], cwd=ROOT, preexec_fn=heed_ctrl_c)
    wait_until(lambda: [log.read_text() for log in sorted(tmp_path.glob("*.log"))] == ["up\nup\n", "up\n"])
    yield owner
    owner.kill()
    owner.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_an_owner_that_a_signal_ends(owner: "subprocess.Popen[bytes]", number: int, tmp_path: Path) -> None:
    started = descendants(owner.pid)
    assert len(started) == 4  # with the supervisor

    os.kill(owner.pid, number)

    _, alive = psutil.wait_procs(started, 5)
    assert alive == []
    assert "bye" in (tmp_path / "polite.log").read_text()


def test_one_that_outlives_the_others_ends_after_them(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start(Process(name="broker", command=python(POLITE), outlives=True))
        processes.start(Process(name="web", command=python(POLITE)))
        wait_until(lambda: [log.read_text() for log in tmp_path.glob("*.log")] == ["up\n", "up\n"])

    ends = {name: float(processes.log(name).read_text().split()[-1]) for name in ("broker", "web")}
    assert ends["web"] < ends["broker"]


def test_a_process_that_ends_is_named_with_its_code_and_log(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start(Process(name="web", command=python("print('no such table'); raise SystemExit(3)")))
        with pytest.raises(ProcessEnded, match=r"web ended \(exit code 3\); its log is .*web\.log"):
            processes.wait()

        assert processes.last_lines() == ["web: no such table"]


def test_while_all_run_there_is_nothing_to_hear(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        processes.start(Process(name="web", command=python(POLITE), environment={"X": "1"}))
        processes.check()
