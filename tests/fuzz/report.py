"""What came of a run, for people."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from bench.report import markdown
from tests.fuzz.campaign import Figures, by_operation

Table = tuple[list[str], list[list[str]]]


def table(figures: Figures) -> Table:
    """Header and rows: each operation with its answers by status, and all of them."""
    found = by_operation(figures)
    total: Counter[str] = sum(found.values(), Counter())
    statuses = sorted(total)
    rows = [[name, *(f"{answers[status]:,}" if answers[status] else "" for status in statuses)] for name, answers in found.items()]
    return ["operation", *statuses], [*rows, ["all", *(f"{total[status]:,}" for status in statuses)]]


def summary(figures: Figures) -> str:
    """One line for each thing that matters."""
    callers = ", ".join(f"{times:,} as {name}" for name, times in figures.callers.items())
    broken = sum(times for (_, status), times in figures.answers.items() if status.startswith("5"))
    undocumented = sum(check == "status_code_conformance" for check, _, _ in figures.findings)
    return "\n".join(
        (
            f"{figures.requests:,} requests in {figures.seconds:,.0f} s with the seed {figures.seed}: {callers}.",
            f"{figures.checks:,} checks. Expected: no server error, no undocumented answer.",
            f"Found: {broken:,} server errors, {undocumented} kinds of undocumented answers, {len(figures.findings)} failures in all.",
        )
    )


def findings(figures: Figures) -> str:
    """Each failure, with the command that shows it again."""
    told = (
        f"{each.check}: {each.operation} as {each.caller}: {each.title}\n{each.message}\n{each.command}\n{each.answer}\n"
        for each in figures.findings.values()
    )
    return "\n".join(told)


def write(figures: Figures, command: str, file: Path) -> None:
    """Writes the page of a run."""
    header, rows = table(figures)
    day = datetime.now(UTC).date().isoformat()
    told = f"`{command}` wrote this page on {day}: schemathesis over a running web on PostgreSQL."
    failures = f"## Failures\n\n```\n{findings(figures)}```\n" if figures.findings else ""
    parts = ["# What fuzzing the API found\n", told, "", summary(figures), "", markdown("Answers by status", header, rows), failures]
    file.write_text("\n".join(parts).rstrip() + "\n")
