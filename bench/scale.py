"""`python -m bench.scale`: the billing consumer with 1, 2, 4 and 8 partitions and as many processes, and what its sessions wait for.

Writes docs/results/scaling.json and scaling.md. The customers are the same each time, so are the orders: only the partitions differ.
"""

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import psycopg
from rich.console import Console

from bench import rig

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
PARTITIONS = (1, 2, 4, 8)
LOOK_SECONDS = 0.02
WAITS = """
    SELECT coalesce(wait_event_type || ': ' || wait_event, 'runs') FROM pg_stat_activity
    WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Turn:
    """One measurement: messages a second, CPU µs a message by part, and what active sessions were seen at, as shares of all sights."""

    rate: float
    cpu_us: Mapping[str, float]
    waits: Mapping[str, float]


class Waits:
    """Looks at the sessions of the database while a measurement runs."""

    def __init__(self, dsn: str) -> None:
        self._dsn, self._seen, self._stop = dsn, Counter[str](), Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not self._stop.wait(LOOK_SECONDS):
                self._seen.update(what for (what,) in connection.execute(WAITS).fetchall())

    def end(self) -> Mapping[str, float]:
        """The share of each state among all sights of active sessions, the most frequent first."""
        self._stop.set()
        self._thread.join()
        return {what: count / self._seen.total() for what, count in self._seen.most_common(6)}


def main() -> None:
    """Measures, prints the table, writes it."""
    parser = ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--orders", type=int, default=60_000)
    parser.add_argument("--turns", type=int, default=3)
    options, console = parser.parse_args(), Console()
    console.print("Starting Kafka and PostgreSQL")
    with rig.running() as kafka:
        from bench import machine  # it needs Django to be set up

        turns = measure(kafka, options.orders, options.turns, console)
        command = f"python -m bench.scale --orders {options.orders} --turns {options.turns}"
        result = as_json(turns, machine.describe(), command)
    console.print(markdown(result))
    (RESULTS / "scaling.json").write_text(json.dumps(result, indent=2) + "\n")
    (RESULTS / "scaling.md").write_text(markdown(result))


def measure(kafka: Any, count: int, turns: int, console: Console) -> dict[int, list[Turn]]:
    """All partition counts in turns, so that a slow minute of the machine falls on each of them."""
    from bench import campaign, load

    customers = load.make_customers(campaign.Size.customers)
    orders = list(load.make_orders(customers, count))
    for partitions in PARTITIONS:
        kafka.create_topic(topic(partitions), partitions=partitions)
        load.produce(kafka.bootstrap, topic(partitions), orders)
    found: dict[int, list[Turn]] = {partitions: [] for partitions in PARTITIONS}
    for _ in range(turns):
        for partitions in PARTITIONS:
            found[partitions].append(one(customers, partitions, count))
            console.print(f"{partitions} partitions: {found[partitions][-1].rate:,.0f} a second")
    return found


def one(customers: Any, partitions: int, count: int) -> Turn:
    from bench import campaign, data, shop

    data.prepare(customers, balance=campaign.BALANCE)
    data.settle_down()
    waits = Waits(shop.dsn())
    rate, cores = shop.consumer("billing", topic(partitions), count, bool, processes=partitions)
    seen = waits.end()
    data.verify(invoices=count, paid_invoices=count, charges=count, outbox=count, wrong_accounts=0, dead_letters=0)
    return Turn(rate, {part: used / rate * 1e6 for part, used in cores.items()}, seen)


def topic(partitions: int) -> str:
    return f"scale-{partitions}"


def as_json(turns: Mapping[int, list[Turn]], machine: Mapping[str, str], command: str) -> dict[str, Any]:
    return {
        "command": command,
        "machine": machine,
        "partitions": {
            str(partitions): {
                "per_second": round(median(turn.rate for turn in found)),
                "turns": [round(turn.rate) for turn in found],
                "cpu_us": {part: round(median(turn.cpu_us.get(part, 0) for turn in found)) for part in ("billing", "postgres", "kafka")},
                "waits": {what: round(share, 2) for what, share in found[-1].waits.items()},
            }
            for partitions, found in turns.items()
        },
    }


def markdown(result: Mapping[str, Any]) -> str:
    """The table, with the machine and the command under it."""
    lines = [
        "# The billing consumer with more partitions, a process for each\n",
        "| partitions | messages a second | turns | CPU a message, µs | what its sessions are at |",
        "| ---: | ---: | ---: | --- | --- |",
    ]
    for partitions, found in result["partitions"].items():
        turns = ", ".join(f"{turn:,}" for turn in found["turns"])
        cpu = ", ".join(f"{part} {used}" for part, used in found["cpu_us"].items())
        waits = ", ".join(f"{what} {share:.0%}" for what, share in found["waits"].items())
        lines.append(f"| {partitions} | {found['per_second']:,} | {turns} | {cpu} | {waits} |")
    machine = result["machine"]
    lines += [
        "",
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory']}, postgresql {machine['postgresql']}; `{result['command']}`",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
