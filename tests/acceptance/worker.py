"""A process of the shop under test, and the signals it may get."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAST_LINES = 50
STOP_SECONDS = 5.0  # what SIGTERM may take, by contract


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


class Worker:
    """One process of the shop, with those that it starts itself; what it writes goes to a file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def says(self, words: str) -> bool:
        """Whether it has written these words."""
        return words in self.log.read_text(errors="replace")

    def last_words(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]

    def stop(self) -> int:
        """Asks it to end in good order and returns its exit code. Raises TimeoutExpired when it takes too long."""
        return stop([self])[0]

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self._send(signal.SIGKILL)
        self._process.wait()

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Waits for its end and returns its exit code. Raises TimeoutExpired, and the log then says where every thread was."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)  # faulthandler writes the stacks
            self._process.wait()
            raise


def stop(workers: Iterable[Worker]) -> list[int]:
    """Asks all of them at once to end in good order, and returns their exit codes. Raises TimeoutExpired when one takes too long."""
    asked = list(workers)
    for worker in asked:
        worker.terminate()
    return [worker.wait(STOP_SECONDS) for worker in asked]
