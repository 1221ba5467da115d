"""`python -m tests.mutants`: seeds each bug of tests/mutants/*.patch in a copy of the project; the suite must catch every one of them."""

import os
import platform
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from tests.mutants import control
from tests.mutants.control import Outcome
from tests.mutants.patches import Mutant, all_mutants

RESULTS = control.ROOT / "docs" / "results" / "mutants.md"
COLUMNS = ("bug", "what is wrong", "caught by", "seconds")
TESTS_SHOWN = 3
TRIES = 3


def main() -> int:
    """Prints a table and what was not caught; returns 1 when there is any, 2 when no bug has such a name."""
    options, console = _options(), Console()
    mutants = [each for each in all_mutants() if not options.names or any(name in each.name for name in options.names)]
    if not mutants:
        Console(stderr=True).print(f"no bug is named like {' or '.join(options.names)}: see tests/mutants")
        return 2
    began = time.monotonic()
    outcomes = sorted(_watched(mutants, wide=options.all_tests), key=lambda outcome: outcome.mutant.name)
    seconds = time.monotonic() - began
    console.print(as_table(outcomes), summary(outcomes, seconds), sep="\n")
    if options.write:
        RESULTS.write_text(as_page(outcomes, seconds))
    problems = [f"{outcome.mutant.name}: {outcome.problem}" for outcome in outcomes if outcome.problem]
    for problem in problems:
        Console(stderr=True).print(problem, markup=False, soft_wrap=True)
    return int(bool(problems))


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names of bugs; without any all are seeded")
    parser.add_argument("--all-tests", action="store_true", help="run all tests that need no Kafka on each bug: minutes a bug")
    parser.add_argument("--write", action="store_true", help=f"write the table to {RESULTS.relative_to(control.ROOT)}")
    return parser.parse_args()


def _watched(mutants: Sequence[Mutant], *, wide: bool) -> list[Outcome]:
    """The outcomes, with a bar while they come in on a terminal."""
    bar = Console(stderr=True)
    found = control.run(mutants, wide=wide, tries=TRIES)
    return list(track(found, "Seeding bugs", total=len(mutants) + 1, console=bar, transient=True, disable=not bar.is_terminal))


def row(outcome: Outcome) -> tuple[str, str, str, str]:
    shown = ", ".join(map(short, outcome.caught_by[:TESTS_SHOWN]))
    more = f" and {len(outcome.caught_by) - TESTS_SHOWN} more" if len(outcome.caught_by) > TESTS_SHOWN else ""
    passed = "all pass" if outcome.mutant is control.NONE else shown + more
    return outcome.mutant.name, outcome.mutant.reason, outcome.problem or passed, f"{outcome.seconds:.1f}"


def short(test: str) -> str:
    """A test's dotted name without that of its module."""
    return test.partition(".test_")[2].partition(".")[2]


def as_table(outcomes: Sequence[Outcome]) -> Table:
    table = Table()
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for outcome in outcomes:
        table.add_row(*map(escape, row(outcome)), style="red" if outcome.problem else "")
    return table


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    bugs = [outcome for outcome in outcomes if outcome.mutant is not control.NONE]
    caught = sum(not outcome.problem for outcome in bugs)
    return f"{caught} of {len(bugs)} bugs were caught, in {seconds:.0f} s"


def as_page(outcomes: Sequence[Outcome], seconds: float) -> str:
    lines = [
        "# Control runs: is every seeded bug caught?",
        "",
        f"{summary(outcomes, seconds)}, by `python -m tests.mutants --write` with Python {platform.python_version()} on "
        f"{os.cpu_count()} cores, {control.AT_ONCE} bugs at a time. A bug is caught when a test named for it fails by an assertion.",
        "",
        *("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |" for cells in _rows(outcomes)),
        "",
    ]
    return "\n".join(lines)


def _rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    named = [(f"[{name}](../../{patch(name)})" if patch(name) else name, *rest) for name, *rest in map(row, outcomes)]
    return [COLUMNS, ("---", "---", "---", "---:"), *named]


def patch(name: str) -> Path | None:
    """Where a bug lies in the project."""
    path = Path("tests") / "mutants" / f"{name}.patch"
    return path if (control.ROOT / path).exists() else None


if __name__ == "__main__":
    sys.exit(main())
