"""Is a process alive? Its own loop touches a file, and a probe reads it. No Django in here: a probe runs every few seconds.

A process holds a lock on its file, which the kernel takes back however the process ends: a file without its lock is of a process that
is gone. Several processes of one name have a file each, `billing.1`, `billing.2`, …
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path

from kafka_shop.conf import SERVICES, folders, read_environment

BEAT_SECONDS = 1.0  # between two beats, unless a state changes
LONGEST_TURN_SECONDS = 60.0  # more than a turn of a loop takes, with every time limit in it


class State(StrEnum):
    """Of a partition, or of what else a loop works on. The order is that of their weight."""

    OK = "ok"
    PAUSED = "paused"  # somebody wished so
    REBALANCING = "rebalancing"  # assigned, not yet flowing: it is claimed, or its database or broker is waited for
    STALLED = "stalled"  # it stands still although there is more to read


Beat = Callable[[Mapping[str, State]], None]


class HeartbeatFailed(Exception):
    """The file cannot be written; the message names the setting."""


class Heart:
    """Writes the states of a loop's parts to an open file. Its time of change is that of the last beat."""

    def __init__(self, file: int) -> None:
        self._file, self._states, self._at = file, dict[str, State](), 0.0

    def beat(self, states: Mapping[str, State]) -> None:
        """Costs next to nothing when it was done a moment ago. A disk that is full ends no loop: the probe tells."""
        now = time.monotonic()
        if states == self._states and now < self._at + BEAT_SECONDS:
            return
        self._states, self._at = dict(states), now
        with suppress(OSError):
            os.pwrite(self._file, json.dumps(states).encode() + b"\n", 0)  # of what was there before only the first line is read


@contextmanager
def heartbeat(folder: Path, name: str) -> Iterator[Beat]:
    """What a loop calls in each turn, and at least every LONGEST_TURN_SECONDS. Raises HeartbeatFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = take_file(folder, name)
    except OSError as error:
        raise HeartbeatFailed(
            f"no heartbeat can be written to {folder} ({error.strerror}): set HEARTBEAT_DIR to a folder that this process may write to"
        ) from error
    try:
        heart = Heart(file)
        heart.beat({})
        yield heart.beat
    finally:
        os.close(file)


def take_file(folder: Path, name: str) -> int:
    """Opens and locks the first file of a name that no living process holds. Raises OSError."""
    for number in count(1):
        file = os.open(folder / f"{name}.{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        os.close(file)
    raise AssertionError("count() has no end")


@dataclass(frozen=True)
class Pulse:
    """What a process's file says."""

    states: Mapping[str, State]
    age_seconds: float

    @property
    def state(self) -> State:
        """The worst of the states, STALLED when the loop no longer turns."""
        if self.age_seconds > LONGEST_TURN_SECONDS:
            return State.STALLED
        return max(self.states.values(), key=[*State].index, default=State.OK)

    def __str__(self) -> str:
        parts = ", ".join(f"{part} {state}" for part, state in self.states.items()) or "nothing assigned"
        return f"{self.state}, last beat {self.age_seconds:.0f} s ago ({parts})"


def pulses(folder: Path, name: str) -> list[Pulse]:
    """Of every living process of a name. Raises OSError."""
    return [pulse for path in sorted(folder.glob(f"{name}.[0-9]*")) if (pulse := read(path))]


def read(path: Path) -> Pulse | None:
    """What a process's file says, or None when the process is gone."""
    with path.open() as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    with path.open() as file, suppress(ValueError):  # in the midst of a beat: so it beats now
        states = {part: State(state) for part, state in json.loads(file.readline()).items()}
        return Pulse(states, max(0.0, time.time() - path.stat().st_mtime))
    return Pulse({}, 0.0)


def check(folder: Path, name: str) -> tuple[int, str]:
    """The exit code and the line of a probe: 0 when every process of that name on this machine is well, of several the worst counts."""
    found = pulses(folder, name)
    if not found:
        return 1, f"{name}: no heartbeat in {folder} (HEARTBEAT_DIR): it does not run here"
    worst = max(found, key=lambda pulse: [*State].index(pulse.state))
    return int(worst.state is State.STALLED), f"{name}: {worst}"


def probe(name: str) -> int:
    """Prints the line of a probe and returns its exit code."""
    code, line = check(folders(read_environment())[1], name)
    sys.stdout.write(f"{line}\n")
    return code


def main(arguments: Sequence[str]) -> int:
    """`run_consumer NAME --check-health` and `run_relay --check-health`, without Django."""
    command, *rest = arguments
    names = ["relay"] if command == "run_relay" else [each for each in rest if each in SERVICES]
    if not names:
        sys.stderr.write(f"Error: {command} --check-health needs the name of a consumer: {', '.join(SERVICES)}\n")
        return 1
    return probe(names[0])
