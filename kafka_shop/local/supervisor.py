"""A process that starts what its owner names on its input and ends all of it when that input ends, also when the owner was killed.

Input: a JSON object a line, see `processes.Process`. Output: `<name> <exit code>` for each process that ends.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

GRACE_SECONDS = 2.0  # for all; then a second, shorter turn for those that outlive the others
LAST_GRACE_SECONDS = 0.5
PAUSE_SECONDS = 0.02


class Child:
    """A process in a session of its own, so that no Ctrl-C reaches it before the supervisor decides."""

    def __init__(self, *, name: str, command: list[str], environment: dict[str, str], log: str, outlives: bool) -> None:
        self.name, self.outlives = name, outlives
        with Path(log).open("w") as output:
            self._process = subprocess.Popen(
                command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        threading.Thread(target=self._report, daemon=True).start()

    def signal(self, number: int) -> bool:
        """Signals the process and all that it started; tells whether there still was one."""
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS: a group of zombies only gives the latter
            return False
        return True

    def _report(self) -> None:
        code = self._process.wait()
        with suppress(BrokenPipeError):  # the owner was killed
            os.write(sys.stdout.fileno(), f"{self.name} {code}\n".encode())


def supervise(lines: Any) -> None:
    """Starts what the lines name; at their end ends all, first those that others need not outlive."""
    children = [Child(**json.loads(line)) for line in lines]
    end([child for child in children if not child.outlives], GRACE_SECONDS)
    end([child for child in children if child.outlives], LAST_GRACE_SECONDS)


def end(children: list[Child], seconds: float) -> None:
    """Asks the processes to end, and kills what is left of them after `seconds`."""
    deadline = time.monotonic() + seconds
    left = [child for child in children if child.signal(signal.SIGTERM)]
    while left and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        left = [child for child in left if child.signal(0)]
    for child in left:
        child.signal(signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # only the end of the input ends it; unlike SIG_IGN, children do not inherit this
    supervise(sys.stdin)


if __name__ == "__main__":
    main()
