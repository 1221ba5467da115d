"""`python -m tests.simulation`: runs seeds and says what was injected. Exit code 1 when an invariant does not hold."""

import shlex
import signal
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation import workers
from tests.simulation.report import Summary

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "simulation.md"


def main() -> int:
    options, console = _options(), Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends workers and databases, too
    workers.set_up()
    if options.seed is not None:
        return _replay(options.seed, trace=options.trace)
    summary = _run(range(options.first, options.first + options.seeds), options.workers, console)
    console.print(summary.table())
    for line in summary.failures():
        console.print(line, markup=False)
    if options.write:
        RESULTS.write_text(summary.page(shlex.join(["python", "-m", "tests.simulation", *sys.argv[1:]])))
    return int(bool(summary.failed))


def _run(seeds: Sequence[int], count: int, console: Console) -> Summary:
    """Runs them under a progress bar, which only a terminal shows."""
    summary, began = Summary(), time.monotonic()
    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(seeds))
        for outcome in workers.run(seeds, count):
            summary.add(outcome)
            bar.advance(task)
    summary.seconds = time.monotonic() - began
    return summary


def _replay(seed: int, *, trace: bool) -> int:
    [outcome] = workers.run([seed], 1)
    if trace:
        sys.stdout.write("\n".join(outcome.trace) + "\n")
    sys.stdout.write(f"seed {seed}: {outcome.failure or 'all invariants hold'}\n")
    return int(bool(outcome.failure))


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.simulation", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000, metavar="N", help="how many, 1000 by default")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first of them, 0 by default")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes side by side, 2 by default")
    parser.add_argument("--seed", type=int, metavar="N", help="this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: every step of it in words")
    parser.add_argument("--write", action="store_true", help="also write docs/results/simulation.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
