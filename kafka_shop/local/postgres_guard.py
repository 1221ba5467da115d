"""Stops the embedded PostgreSQL when the last process that uses it is gone. `postgres.join` starts it; it lives in its own session."""

import fcntl
import os
import sys
from pathlib import Path

PATIENCE_SECONDS = 3


def guard(folder: Path, users: Path, guarding: int) -> None:
    """Waits until nobody holds the file `users`, then stops the server. `guarding`: the inherited lock that says a guard watches."""
    with users.open("ab") as last:
        fcntl.flock(last, fcntl.LOCK_EX)
        from kafka_shop.local import wheel  # late: a guard that waits stays small

        wheel.stop(folder, PATIENCE_SECONDS)
        os.close(guarding)  # before `users`: who joins next finds no guard and starts its own


if __name__ == "__main__" and os.fork() == 0:  # the parent returns at once: who started it need not wait for the guard itself
    os.setsid()
    guard(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
