"""A process that ends the brokers and removes their folders when the process that started them is gone, however it went.

It holds the reading end of a pipe whose writing end only the test process has. PR_SET_PDEATHSIG would tie a JVM to the thread
that started it instead, is Linux only, and leaves the folders.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


class Guardian:
    """Watches over the processes last named by `watch`."""

    def __init__(self, folders: Iterable[Path]) -> None:
        command = [sys.executable, "-I", __file__, *map(str, folders)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def watch(self, pids: Iterable[int]) -> None:
        """Replace the list of processes that must not outlive this one."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, pids)).encode() + b"\n")
        self._process.stdin.flush()

    def release(self) -> None:
        """Let it do its work now, and wait for its end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main(folders: list[str]) -> None:
    """Read lists of process ids until the pipe closes; then kill the last list and remove the folders."""
    pids: list[int] = []
    for line in sys.stdin:
        pids = [int(word) for word in line.split()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
