"""What `make flat` found, for people and for programs. For a set-up Django."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench import machine
from bench.report import markdown

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "results"
EXPECTED = 0.9  # of the speed with empty tables, at least
EXPECTED_MS = 200.0  # a page, at most
GROUPS = {"a customer's lists and filters": "a customer's ", "all lists and filters": "all ", "admin": "admin "}
CONSOLE = "flow, trace, dead letters"
NAMES = {"billing": "billing consumer", "pipeline": "pipeline, order to letter", "placing": "orders placed over HTTP"}
MACHINE = "{cores} cores ({cpu}), {memory}, {system}; python {python}, django {django}, postgresql {postgresql}, kafka {kafka}"


def write(found: Mapping[str, Any], orders: int, command: str) -> None:
    """Puts what was found in the place of what was known of these parts."""
    path = FOLDER / "flat.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    where = {"machine": machine.describe(), "load": round(os.getloadavg()[0], 1)}
    now = {"orders": orders, "command": command, "measured_on": datetime.now(UTC).date().isoformat(), **where}
    parts = {**known.get("parts", {}), **{part: now | {"found": figures} for part, figures in found.items()}}
    path.write_text(json.dumps({"parts": parts}, indent=2) + "\n")
    (FOLDER / "flat.md").write_text(page())


def page() -> str:
    """The tables of all parts."""
    parts: Mapping[str, Any] = json.loads((FOLDER / "flat.json").read_text())["parts"]
    tables = {"speed": speed, "pages": pages, "relay": relay, "memory": memory}
    shown = [f"{tables[part](parts[part])}\n{origin(parts[part])}\n" for part in tables if part in parts]
    return "\n".join(["# Is it flat?\n", *shown])


def speed(part: Mapping[str, Any]) -> str:
    lines = []
    for name, by_database in part["found"].items():
        empty, full = by_database["empty"], by_database["full"]
        rates = [median(each["per_second"]) for each in (empty, full)]
        costs = [median(sum(turn.values()) for turn in each["cpu_us"]) for each in (empty, full)]
        turns = ", ".join(f"{few:,} and {many:,}" for few, many in zip(empty["per_second"], full["per_second"], strict=True))
        row = [f"{rates[0]:,.0f}", f"{rates[1]:,.0f}", judged(rates[1] / rates[0]), turns]
        lines.append([NAMES[name], *row, f"{costs[0]:,.0f}", f"{costs[1]:,.0f}", judged(costs[0] / costs[1])])
    header = ["a second", "empty", "full", "ratio", "turns", "CPU µs, empty", "full", "ratio"]
    return markdown(f"Empty tables and {part['orders']:,} orders", header, lines)


def pages(part: Mapping[str, Any]) -> str:
    slowest = sorted(part["found"].items(), key=lambda found: -found[1]["full"])
    lines = [[name, f"{of['few']:.1f}", f"{of['full']:.1f}", within(of["full"])] for name, of in slowest]
    each = markdown(f"Pages, in milliseconds, with 10,000 and with {part['orders']:,} orders", ["", "few", "full", "at most 200"], lines)
    return markdown("Pages, a group together", ["milliseconds", "few", "full", "ratio"], list(together(part["found"]))) + "\n" + each


def together(found: Mapping[str, Mapping[str, float]]) -> Iterator[list[str]]:
    """A line for each group of pages: what they take one after the other."""
    groups: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for name, of in found.items():
        groups[next((group for group, start in GROUPS.items() if name.startswith(start)), CONSOLE)].append(of)
    for group, pages in groups.items():
        few, full = sum(of["few"] for of in pages), sum(of["full"] for of in pages)
        yield [f"{group}: {len(pages)}", f"{few:.0f}", f"{full:.0f}", judged(few / full)]


def relay(part: Mapping[str, Any]) -> str:
    first = part["found"]["a thousand wait"]
    lines = [
        [
            name,
            f"{of['per_second']:,}",
            judged(of["per_second"] / first["per_second"]),
            f"{of['cpu_us']}",
            judged(first["cpu_us"] / of["cpu_us"]),
        ]
        for name, of in part["found"].items()
    ]
    return markdown("The relay: facts of one destination", ["", "a second", "of the first", "CPU µs a fact", "of the first"], lines)


def memory(part: Mapping[str, Any]) -> str:
    return markdown("The most memory of billing's consumer", ["", "MB"], [[name, str(most)] for name, most in part["found"].items()])


def judged(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= EXPECTED else f"{ratio:.2f}, not {EXPECTED}"


def within(milliseconds: float) -> str:
    return "yes" if milliseconds <= EXPECTED_MS else "no"


def origin(part: Mapping[str, Any]) -> str:
    return f"{part['measured_on']}, {MACHINE.format(**part['machine'])}; load average {part['load']}; `{part['command']}`"
