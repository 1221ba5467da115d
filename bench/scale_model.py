"""`python -m bench.scale_model`: what more processes and cores would give, simulated from the service times that `make bench` measured.

A process of a consumer goes round: it works on a batch itself, has the database work on it, and waits (commit, network, broker); then
the next batch. Whoever finds all cores busy queues. It is assumed that partitions are evenly full, that processes never wait for each
other's rows (a customer's account belongs to one partition), and that disk, network and brokers are not at their limits: bounds from above.
"""

import heapq
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results" / "bench.json"
BATCH = 1_000  # messages
ROUNDS = 300  # batches of each process
PROCESSES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True)
class Work:
    """Microseconds that a message takes of its process, of the database, and of waiting for neither."""

    process: float
    database: float
    waiting: float


@dataclass(frozen=True)
class Cores:
    """How many there are for the processes and for the database; none for the processes: they share the database's."""

    database: int
    processes: int = 0

    def __str__(self) -> str:
        return f"{self.processes} and {self.database} of the database" if self.processes else f"{self.database} for all"


def per_second(work: Work, processes: int, cores: Cores, seed: int = 1) -> float:
    """Messages a second of so many processes."""
    chance, order = random.Random(seed), count()
    database = [0.0] * cores.database
    own = [0.0] * cores.processes if cores.processes else database
    stations: Sequence[tuple[list[float] | None, float]] = ((own, work.process), (database, work.database), (None, work.waiting))
    due = [(chance.random() * BATCH * work.process, next(order), 0) for _ in range(processes)]
    heapq.heapify(due)
    done, now = 0, 0.0
    while done < ROUNDS * processes:
        now, _, step = heapq.heappop(due)
        station, service = stations[step % len(stations)]
        took = service * BATCH * chance.uniform(0.5, 1.5)
        heapq.heappush(due, (begun(station, now, took) + took, next(order), step + 1))
        done += step % len(stations) == len(stations) - 1
    return done * BATCH / now * 1e6


def begun(station: list[float] | None, now: float, took: float) -> float:
    """When work begins that is ready now: as soon as a core is free, which it then keeps. No station: at once."""
    if station is None:
        return now
    start = max(now, heapq.heappop(station))
    heapq.heappush(station, start + took)
    return start


def measured(name: str) -> Work:
    """What a message takes of a consumer, as `make bench` has found it for one process on two cores."""
    result = json.loads(RESULTS.read_text())
    own, database = result["cpu_us"][name][name], result["cpu_us"][name]["postgres"]
    return Work(own, database, max(0.0, 1e6 / result["per_second"][name]["median"] - own - database))


def main() -> None:
    """Prints a table a consumer."""
    columns = [Cores(2), Cores(4, 4), Cores(8, 16), Cores(16, 32)]
    for name in ("billing", "orders", "notify"):
        work = measured(name)
        print(f"\n{name}: {work.process} µs of a process, {work.database} of the database, {work.waiting:.0f} waiting\n")
        print(f"| processes | {' | '.join(map(str, columns))} |\n| ---: {'| ---: ' * len(columns)}|")
        for processes in PROCESSES:
            print(f"| {processes} | {' | '.join(f'{per_second(work, processes, cores):,.0f}' for cores in columns)} |")


if __name__ == "__main__":
    main()
