"""The owner's side of the supervisor: start processes, hear of those that end, leave none behind."""

import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, Self, cast

ROOT = Path(__file__).parents[2]
END_SECONDS = 10  # more than the supervisor takes
LAST_LINES = 5


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process to start. `environment` is added to this process's own; `outlives`: it ends after the others."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    outlives: bool = False


class ProcessEnded(Exception):
    """A process ended that should go on."""


class Processes:
    """A set of running processes. None outlives the `with` block, nor the process that it is in, however that ends."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._names: list[str] = []
        self._ended: SimpleQueue[str] = SimpleQueue()

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        supervisor = [sys.executable, "-m", "kafka_shop.local.supervisor"]
        pipe = subprocess.PIPE
        self._supervisor = subprocess.Popen(supervisor, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
        self._orders, self._reports = cast(IO[str], self._supervisor.stdin), cast(IO[str], self._supervisor.stdout)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._orders.close()
        self._supervisor.wait(END_SECONDS)
        self._listener.join()
        self._reports.close()

    def start(self, process: Process) -> None:
        self._names.append(process.name)
        order = {**asdict(process), "log": str(self.log(process.name))}
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()

    def log(self, name: str) -> Path:
        """Where a process's output goes."""
        return self._logs / f"{name}.log"

    def check(self) -> None:
        """Raises ProcessEnded when a process has ended."""
        try:
            self._raise(self._ended.get_nowait())
        except Empty:
            return

    def wait(self) -> None:
        """Waits until a process ends, then raises ProcessEnded."""
        self._raise(self._ended.get())

    def last_lines(self) -> list[str]:
        """The end of every log, each line with its process's name."""
        return [f"{name}: {line}" for name in self._names for line in _tail(self.log(name))]

    def _raise(self, report: str) -> None:
        name, _, code = report.partition(" ")
        raise ProcessEnded(f"{name} ended (exit code {code}); its log is {self.log(name)}")

    def _listen(self) -> None:
        for report in self._reports:
            self._ended.put(report.strip())
        self._ended.put("supervisor 1")


def _tail(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else []
