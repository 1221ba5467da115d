"""What a run has shown, as a table."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.table import Table

from tests.simulation.faults import KINDS
from tests.simulation.workers import Outcome

MOST_FAILURES = 10  # are shown; more say nothing new

PAGE = """# What `make simulate` found

Each seed is one history of the whole shop with 5 to 15 orders: the real consumers, handlers, services, relay and audit, on a real
PostgreSQL, against a model of Kafka, with time and chance in the hands of the seed. After its faults a history comes to rest, and then
the audit, a model of the shop in plain Python, and a witness of every position that moved must agree (I1 to I8).

`{command}`

|  | count |
| --- | ---: |
{rows}

A seed that fails is told again, step by step, by `make simulate ARGS="--seed N --trace"`. `make test` runs a thousand.
"""


@dataclass
class Summary:
    """The sums over all seeds."""

    seeds: int = 0
    orders: int = 0
    deliveries: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.orders += outcome.orders
        self.deliveries += outcome.deliveries
        self.faults += outcome.faults
        if outcome.failure:
            self.failed.append(outcome)

    def rows(self) -> Iterator[tuple[str, str]]:
        yield "seeds", f"{self.seeds:,}"
        yield "of these failed", f"{len(self.failed):,}"
        yield "orders", f"{self.orders:,}"
        yield "deliveries applied or recognised", f"{self.deliveries:,}"
        yield "faults", f"{self.faults.total():,}"
        yield from ((f"  {kind}", f"{self.faults[kind]:,}") for kind in KINDS)
        yield "seconds", f"{self.seconds:,.0f}"

    def table(self) -> Table:
        table = Table("", "count", box=None)
        table.columns[1].justify = "right"
        for row in self.rows():
            table.add_row(*row)
        return table

    def page(self, command: str) -> str:
        """The table as a page of the documentation."""
        lines = [f"| {'– ' if name.startswith(' ') else ''}{name.strip()} | {count} |" for name, count in self.rows()]
        return PAGE.format(command=command, rows="\n".join(lines))

    def failures(self) -> Iterator[str]:
        """What failed, each with the line that replays it."""
        for outcome in self.failed[:MOST_FAILURES]:
            yield f'seed {outcome.seed}: {outcome.failure}\n  make simulate ARGS="--seed {outcome.seed} --trace"'
        if len(self.failed) > MOST_FAILURES:
            yield f"and {len(self.failed) - MOST_FAILURES} more: " + " ".join(str(each.seed) for each in self.failed[MOST_FAILURES:])
