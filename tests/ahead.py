"""Long runs with processes and databases of their own, begun with the whole suite and awaited by their tests.

Two at a time. Those that need nothing but processors have the lowest priority: so they use the time in which other tests wait for real
processes, sockets and clocks. A test that is run by itself runs its own, there and then.
"""

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.environment import NAME, VAR_DIR

ROOT = Path(__file__).resolve().parents[1]
CRASH_POINTS = VAR_DIR / "crash-points.json"
RUNS = {  # by the module whose tests await them, in the order of the suite
    "test_chaos": ("tests.chaos", "--minutes", "0", "--seed", "20"),
    "test_crash_points": ("tests.crash", "--json", str(CRASH_POINTS)),
    "test_control": ("tests.mutants",),
    "test_simulation": ("tests.simulation", "--seeds", "1000"),
}
LEAST_TESTS = 1000  # of a suite that has enough to do meanwhile
WAITING = {"test_chaos"}  # for its processes more than for a processor
LOWEST_PRIORITY = 19  # niceness

Ended = subprocess.CompletedProcess[str]

_pool = ThreadPoolExecutor(2)
_begun: dict[str, Future[Ended]] = {}
_processes: list[subprocess.Popen[str]] = []


def result(module: str) -> Ended:
    """What the run that a module's tests await ended with. Waits for it, or runs it now if it was not begun."""
    return _begun[module].result() if module in _begun else run(*RUNS[module])


def run(*arguments: str, niceness: int = 0, **own: str) -> Ended:
    """Runs a module of the tests to its end, in a process of its own."""
    command = ["nice", "-n", str(niceness), sys.executable, "-W", "error", "-m", *arguments]
    environment = os.environ | own
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        _processes.append(process)
        output, errors = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def pytest_collection_finish(session: pytest.Session) -> None:
    modules = {item.path.stem for item in session.items}
    if len(session.items) >= LEAST_TESTS and not session.config.option.collectonly:
        _begun.update({module: _pool.submit(begin, module) for module in RUNS if module in modules})


def begin(module: str) -> Ended:
    """Runs it aside, with a database server that no other test uses."""
    return run(*RUNS[module], niceness=0 if module in WAITING else LOWEST_PRIORITY, SHOP_TEST_VAR=f"{NAME}-{module}")


def pytest_unconfigure() -> None:
    """A session that was interrupted leaves no run behind."""
    _pool.shutdown(wait=False, cancel_futures=True)
    for process in _processes:
        if process.poll() is None:
            process.terminate()
