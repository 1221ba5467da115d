"""One demo at a time on one folder of data, however it speaks."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DemoRuns(Exception):
    """Another demo runs on the same data."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds a folder for the demo of this process; a demo that is killed lets it go. Raises DemoRuns."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoRuns(f"a demo runs already on the data in {folder}: end it first, or set another VAR_DIR") from error
        yield
