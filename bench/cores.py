"""How many cores each part of a measurement uses."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from bench import rig


class Cores:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._since, self._before = time.perf_counter(), seconds()

    def used(self) -> Mapping[str, float]:
        """Cores in use since then, by part; "bench" is the measuring process, in which floor and ceiling run."""
        elapsed = time.perf_counter() - self._since
        return {part: (now - self._before[part]) / elapsed for part, now in sorted(seconds().items()) if now > self._before[part]}


def seconds() -> Mapping[str, float]:
    """CPU seconds that the running processes, and those that they have outlived, have used so far, by part."""
    result: defaultdict[str, float] = defaultdict(float)
    for part, process in parts():
        with suppress(psutil.NoSuchProcess):
            result[part] += sum(process.cpu_times()[:4])  # user, system, the same of ended children
    return result


def parts() -> Iterator[tuple[str, psutil.Process]]:
    """The processes that take part: this one and what it started, and PostgreSQL's."""
    bench = psutil.Process()
    postmaster = psutil.Process(int(Path(rig.FOLDER / "postgres" / "postmaster.pid").read_text().split()[0]))
    yield "bench", bench
    yield from (("postgres", process) for process in (postmaster, *postmaster.children()))
    for process in bench.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            yield part(process.cmdline()), process


def part(command: list[str]) -> str:
    """What a process is."""
    if {"run_consumer", "bench.ceiling_process"} & {*command}:
        return command[-1]
    names = {"run_relay": "relay", "kafka.Kafka": "kafka", "run_web": "web", "uvicorn": "web"}
    return next((name for word, name in names.items() if word in command), "bench")
