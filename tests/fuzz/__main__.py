"""`python -m tests.fuzz`: sends made-up requests to a running shop, and checks each answer against docs/api/openapi.json.

As a customer, as staff, as an operator, as a service and as nobody. Exits with 1 when a check fails. docs/results/fuzz.md is written with
--write.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from secrets import randbelow

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.fuzz import service

PAGE = Path(__file__).resolve().parents[2] / "docs" / "results" / "fuzz.md"


def main() -> int:
    """Fuzzes, prints the table, returns the exit code."""
    options, console = parsed(), Console()
    console.print(f"Seed {options.seed}. Starting PostgreSQL, a web and a relay")
    with service.running() as running, progress(console) as shown:
        from tests.fuzz import campaign, report  # they need Django to be set up

        task = shown.add_task("requests", total=options.requests)
        figures = campaign.run(
            running,
            requests=options.requests,
            seconds=options.seconds,
            seed=options.seed,
            show=lambda count: shown.update(task, completed=count),
        )
    console.print(drawn(*report.table(figures)), report.summary(figures), sep="\n")
    console.out(report.findings(figures), end="")
    if options.write:
        report.write(figures, f"make fuzz ARGS={' '.join(sys.argv[1:])!r}", PAGE)
    return int(bool(figures.findings))


def parsed() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2_000, help="stop after so many (%(default)s)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds, too")
    parser.add_argument("--seed", type=int, default=randbelow(10**6), help="of a former run")
    parser.add_argument("--write", action="store_true", help="write docs/results/fuzz.md")
    return parser.parse_args()


def progress(console: Console) -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console)


def drawn(header: list[str], rows: list[list[str]]) -> Table:
    table = Table()
    for number, name in enumerate(header):
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


if __name__ == "__main__":
    sys.exit(main())
