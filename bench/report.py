"""What was measured, for people and for programs."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from bench.campaign import Figures, Size
from bench.latency import ORDERS_A_SECOND, Latency, p50, p99
from bench.placing import SUBJECTS

EXPECTED_OF = {"floor": 30.0, "ceiling": 0.7}  # the billing consumer's ratios, at least
EXPECTED_OF_PIPELINE = 0.6  # the pipeline's rate, of that by hand, at least
EXPECTED_OF_PLACING = {"bare view": 0.8, "one-statement view": 0.8, "FastAPI": 1.0}  # of a neighbour's rate, at least
EXPECTED_OF_PAGES = {"one-statement page": 0.6}
NEIGHBOURS = {"placing": EXPECTED_OF_PLACING, "placing with keys": EXPECTED_OF_PLACING, "page": EXPECTED_OF_PAGES}
EXPECTED_OVER_HTTP = 1 / 3  # the pipeline's share of its rate over Kafka, at least
EXPECTED_LETTER_MS = {"median": 30.0, "p99": 80.0}  # a lone order's letter, at most
EXPECTED_IDLE = 0.02  # of a core, a process, at most
NAMES = {
    "floor": "floor: ORM, a transaction each",
    "ceiling": "ceiling: by hand, in batches",
    "billing": "billing consumer",
    "orders": "orders consumer",
    "notify": "notify consumer",
    "pipeline ceiling": "ceiling of the pipeline: by hand",
    "pipeline": "pipeline, order to letter",
    "pipeline over HTTP": "the same over HTTP, no broker",
    "bare view": "orders placed over HTTP: bare REST framework view",
    "one-statement view": "the same: plain view, one statement",
    "FastAPI": "the same: FastAPI and asyncpg",
    "placing": "orders placed over HTTP: the shop",
    "placing with keys": "the same with Idempotency-Key",
    "one-statement page": "pages of 50 orders: plain view",
    "page": "pages of 50 orders: the shop",
}


def as_json(figures: Figures, size: Size, machine: Mapping[str, str], command: str) -> dict[str, Any]:
    """Everything that is known of a run."""
    return {
        "command": command,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "size": vars(size),
        "per_second": {
            name: {"median": round(median(turns)), "turns": [round(turn) for turn in turns]} for name, turns in figures.rates.items()
        },
        "ratios": {name: ratios(figures, name) for name in figures.rates},
        "over_http": round(over_http(figures), 2),
        "lone_order_ms": {name: lone(turns) for name, turns in figures.lone.items()},
        "cpu_us": {name: cpu(figures, name) for name in figures.cores},
        "idle_percent": idle(figures),
    }


def ratios(figures: Figures, name: str) -> dict[str, float]:
    """How many times the floor, and what share of the ceiling or of a neighbour over HTTP, where those were measured."""
    by_hand = "pipeline ceiling" if name.startswith("pipeline") else "ceiling"
    others = {"floor": "floor", "ceiling": by_hand}
    neighbours = {each: each for each in NEIGHBOURS.get(name, ())} if name in SUBJECTS else others
    return {
        neighbour: round(median(figures.rates[name]) / median(figures.rates[measured]), 2)
        for neighbour, measured in neighbours.items()
        if measured in figures.rates
    }


def over_http(figures: Figures) -> float:
    """The pipeline's rate over HTTP as a share of that over Kafka; 0 unless both were measured."""
    if not {"pipeline", "pipeline over HTTP"} <= figures.rates.keys():
        return 0.0
    return median(figures.rates["pipeline over HTTP"]) / median(figures.rates["pipeline"])


def lone(turns: Sequence[Latency]) -> dict[str, dict[str, float]]:
    """How long it took to the answers and to the letters of all turns."""
    return {
        "answer": spread([time for turn in turns for time in turn.answers]),
        "letter": spread([time for turn in turns for time in turn.letters]),
    }


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    return {"median": round(p50(list(milliseconds)), 1), "p99": round(p99(list(milliseconds)), 1)}


def cpu(figures: Figures, name: str) -> dict[str, int]:
    """Microseconds of CPU a message, by part: what a noisy machine changes least. What uses next to nothing is left out."""
    rates = figures.rates.get(name, [ORDERS_A_SECOND] * len(figures.cores[name]))
    costs = [{part: cores / rate * 1e6 for part, cores in turn.items()} for turn, rate in zip(figures.cores[name], rates, strict=True)]
    parts = sorted({part for cost in costs for part in cost})
    medians = {part: round(median(cost.get(part, 0) for cost in costs)) for part in parts}
    return {part: cost for part, cost in medians.items() if cost}


def idle(figures: Figures) -> dict[str, float]:
    """Percent of a core that each process uses while nothing happens; of Kafka and PostgreSQL all processes together."""
    parts = sorted({part for turn in figures.idle for part in turn} - {"bench"})
    return {part: round(100 * median(turn.get(part, 0) for turn in figures.idle), 2) for part in parts}


def tables(result: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Title, header and rows of each table."""
    rates = [
        [NAMES[name], f"{rate['median']:,}", ", ".join(f"{turn:,}" for turn in rate["turns"]), *_ratios(result["ratios"][name])]
        for name, rate in result["per_second"].items()
    ]
    lone = [
        [f"{name}: until the {what}", f"{times['median']:.1f}", f"{times['p99']:.1f}"]
        for name, spreads in result["lone_order_ms"].items()
        for what, times in spreads.items()
    ]
    costs = [[NAMES.get(name, name), ", ".join(f"{part} {cost:,}" for part, cost in by.items())] for name, by in result["cpu_us"].items()]
    shown = [
        ("Messages or orders a second", ["", "median", "turns", "of ceiling", "× floor"], rates),
        (f"A lone order, {ORDERS_A_SECOND} a second, ms from its POST", ["", "median", "p99"], lone),
        ("CPU a message, µs", ["", "by part"], costs),
        ("Idle, % of a core", ["", ""], [[part, f"{percent:.2f}"] for part, percent in result["idle_percent"].items()]),
        ("Expected", ["", "", "measured"], expected(result)),
    ]
    return [table for table in shown if table[2]]


def expected(result: Mapping[str, Any]) -> list[list[str]]:
    """What should come out, beside what did, where it was measured."""
    billing, pipeline = (result["ratios"].get(name, {}) for name in ("billing", "pipeline"))
    bounds = [(f"billing consumer: times the {name}", ratio, billing.get(name)) for name, ratio in EXPECTED_OF.items()]
    bounds.append(("pipeline: times its ceiling", EXPECTED_OF_PIPELINE, pipeline.get("ceiling")))
    bounds += [
        (f"{NAMES[name]}: times the {neighbour}", ratio, result["ratios"].get(name, {}).get(neighbour))
        for name, neighbours in NEIGHBOURS.items()
        for neighbour, ratio in neighbours.items()
    ]
    bounds.append(("pipeline over HTTP: share of its rate over Kafka", EXPECTED_OVER_HTTP, result["over_http"]))
    found = [[what, f"at least {least:.3g}", _judged(figure, figure >= least)] for what, least, figure in bounds if figure]
    found += [[what, f"at most {most:g}", _judged(figure, figure <= most)] for what, most, figure in upper_bounds(result)]
    return found


def upper_bounds(result: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """What is not to be exceeded: its name, the bound and what was measured."""
    lone = result["lone_order_ms"].get("lone orders")
    letters = [(f"lone order: {name} ms to its letter", most, lone["letter"][name]) for name, most in EXPECTED_LETTER_MS.items() if lone]
    shop = {part: percent for part, percent in result["idle_percent"].items() if part not in {"kafka", "postgres"}}
    return letters + [(f"idle {part}: % of a core", 100 * EXPECTED_IDLE, percent) for part, percent in shop.items()]


def _judged(figure: float, met: bool) -> str:
    return f"{figure:g}" if met else f"{figure:g}, not met"


def _ratios(ratios: Mapping[str, float]) -> list[str]:
    return [f"{ratios['ceiling']:.2f}" if "ceiling" in ratios else "", f"{ratios['floor']:.1f}" if "floor" in ratios else ""]


def origin(result: Mapping[str, Any]) -> str:
    """The machine, the versions and the command, in two lines."""
    machine, size = result["machine"], result["size"]
    parts = ", ".join(f"{name} {value}" for name, value in machine.items() if name not in {"cores", "memory", "cpu", "system"})
    orders = f"{size['orders']:,} orders of {size['customers']:,} customers, 2 partitions a topic"
    amount = f"{orders}, batches of {size['batch_size']:,}, {size['turns']} turns"
    computer = f"{machine['cores']} cores ({machine['cpu']}), {machine['memory']}, {machine['system']}"
    return f"{computer}; {parts}\n`{result['command']}`: {amount}"


def rich_tables(result: Mapping[str, Any]) -> list[Table]:
    return [_rich(*table) for table in tables(result)]


def _rich(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table


def write(result: Mapping[str, Any], folder: Path) -> None:
    """Writes bench.json and bench.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(result, indent=2) + "\n")
    parts = [markdown(*table) for table in tables(result)]
    (folder / "bench.md").write_text("\n".join(["# What `make bench` measured\n", *parts, origin(result), ""]))


def markdown(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A table under its title. texts: how many columns on the left hold words."""
    lines = [header, ["---" if number < texts else "---:" for number in range(len(header))], *rows]
    return f"## {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
