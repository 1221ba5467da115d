"""The results of the runs, for people and for programs. For a set-up Django."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import machine
from bench.report import markdown
from tests.chaos.faults import FAULTS
from tests.chaos.figures import Figures

NAME = "chaos"
RECOVERY_SECONDS, STOP_SECONDS, HOLD_SECONDS = 10.0, 5.0, 2.0  # expected, at most
SHOWN = 20  # problems of a run
NOT_SINGLE = {"none", "two at once"}
EXPLAINED = """\
Customers order over HTTP all the time, at a web with two relays and two consumers of each kind. Kafka and PostgreSQL are behind TCP
proxies. One fault follows another. Recovery: the seconds from a fault's end until an order placed after it in each partition has its
letter, whatever waits before it; `none` is what that takes when nothing happens. The groups miss a dead member after 3 s here, by a
broker's default after 45 s. What was killed has to start again, and each process needs a second of a core for that: on a busy machine
this is most of the recovery. In the end all settles; the audit must be clean, and every message of the logs agree with the tables.
"""
Run = Mapping[str, Any]
Runs = Mapping[str, Run]
Rows = list[list[str]]


def as_json(figures: Figures, *, command: str, seed: int) -> dict[str, Any]:
    """Everything that is known of a run."""
    found = {"command": command, "seed": seed, "measured_on": datetime.now(UTC).date().isoformat()}
    return found | {"machine": dict(machine.describe())} | asdict(figures)


def write(folder: Path, name: str, run: Run) -> None:
    """Keeps the run beside the last ones of the other kinds, and writes them all."""
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / f"{NAME}.json"
    runs = (json.loads(store.read_text()) if store.exists() else {}) | {name: run}
    store.write_text(json.dumps(runs, indent=2) + "\n")
    (folder / f"{NAME}.md").write_text(page(runs))


def page(runs: Runs) -> str:
    disturbed = {name: run for name, run in runs.items() if run["recoveries"]}
    tables = [markdown(*outcome(runs))]
    if disturbed:
        tables += [markdown(*expected(disturbed)), markdown(*faults(disturbed), texts=3)]
    return "\n".join(["# What `make chaos` measured\n", EXPLAINED, *tables, *origins(runs), ""])


def outcome(runs: Runs) -> tuple[str, list[str], Rows]:
    rows: Mapping[str, Callable[[Run], str]] = {
        "minutes": lambda run: f"{run['seconds'] / 60:.1f}",
        "faults injected": lambda run: f"{sum(map(len, run['recoveries'].values())):,}",
        "orders accepted": lambda run: f"{run['accepted']:,}",
        "orders lost": lambda run: f"{run['lost']:,}",
        "orders charged or told twice": lambda run: f"{run['doubled']:,}",
        "findings of the audit, and what is not at rest": lambda run: f"{len(run['problems']):,}",
        "messages in the logs, each compared with the tables": lambda run: thousands(run["counts"].get("messages")),
        "messages produced again": lambda run: f"{run['counts'].get('duplicates', 0):,}",
        "messages that changed places": lambda run: f"{run['counts'].get('reordered', 0):,}",
        "poisoned messages, each a dead letter": lambda run: f"{run['counts'].get('poisoned messages', 0):,}",
        "members that joined and left in storms": lambda run: f"{run['counts'].get('members', 0):,}",
        "load average of the machine, others' work included": lambda run: f"{median(run['loads'] or [0]):.0f}",
    }
    return "Outcome", ["", *runs], [[name, *(each(run) for run in runs.values())] for name, each in rows.items()]


def thousands(count: int | None) -> str:
    return "not done" if count is None else f"{count:,}"


def expected(runs: Runs) -> tuple[str, list[str], Rows]:
    """What should come out, beside what did."""
    bounds = {
        "seconds to recover from any single fault, at most": (RECOVERY_SECONDS, recoveries),
        "seconds from SIGTERM to exit under load, at most": (STOP_SECONDS, stops),
        "seconds that poison holds its partition, at most": (HOLD_SECONDS, holds),
    }
    rows = [[what, f"{bound:g}", *(judged(measure(run), bound) for run in runs.values())] for what, (bound, measure) in bounds.items()]
    return "Expected", ["", "", *runs], rows


def recoveries(run: Run) -> dict[str, float]:
    """The longest of each single fault."""
    return {name: max(seconds) for name, seconds in run["recoveries"].items() if name not in NOT_SINGLE}


def stops(run: Run) -> dict[str, float]:
    return {"": max(run["stops"])} if run["stops"] else {}


def holds(run: Run) -> dict[str, float]:
    return {"": max(run["holds"])} if run["holds"] else {}


def judged(figures: Mapping[str, float], bound: float) -> str:
    """The largest figure, or all that are too large."""
    beyond = sorted(((seconds, name) for name, seconds in figures.items() if seconds > bound), reverse=True)
    if beyond:
        return "not met: " + ", ".join(f"{name} {seconds:.1f}".strip() for seconds, name in beyond)
    return f"{max(figures.values()):.1f}" if figures else ""


def faults(runs: Runs) -> tuple[str, list[str], Rows]:
    """Each fault, with its recovery: how often × median, longest seconds from its end until new orders have their letters."""
    rows = [
        [name, fault.how, fault.expected, *(recovered(run["recoveries"].get(name, [])) for run in runs.values())]
        for name, fault in FAULTS.items()
        if any(name in run["recoveries"] for run in runs.values())
    ]
    header = ["fault", "injected by", "expected", *(f"{name}: × median, longest s" for name in runs)]
    return "Faults, and the recovery from them", header, rows


def recovered(seconds: Sequence[float]) -> str:
    return f"{len(seconds)} × {median(seconds):.1f}, {max(seconds):.1f}" if seconds else ""


def origins(runs: Runs) -> Iterator[str]:
    """The commands, the machine, and what else was seen."""
    for name, run in runs.items():
        parts = ", ".join(f"{part} {run['machine'][part]}" for part in ("python", "postgresql", "kafka", "librdkafka"))
        yield f"- {name}: `{run['command']}` on {run['measured_on']}, seed {run['seed']}; {run['machine']['cores']} cores; {parts}."
        answers = ", ".join(f"{count:,} × {answer}" for answer, count in sorted(run["answers"].items()))
        yield from [f"  Customers' requests were answered with {answers}."] if answers else []
        yield from (f"  {count} × {fate}" for fate, count in run["fates"].items())
        yield from (f"  **Not as it must be:** {problem}" for problem in run["problems"][:SHOWN])
