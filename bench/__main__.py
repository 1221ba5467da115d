"""`python -m bench`: measures the shop beside its floor and its ceiling, on a real Kafka and a real PostgreSQL, and checks each outcome.

The floor is the billing step as most teams write it, one ORM transaction a message; the ceiling is written by hand, in batches, without
Django and without the shop's engine. Results go to docs/results, those of a short run and of a part to var/bench.
"""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bench import rig

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
MEASUREMENTS = (
    *("floor", "ceiling", "billing", "orders", "notify", "pipeline ceiling", "pipeline", "pipeline over HTTP"),
    *("bare view", "one-statement view", "FastAPI", "placing", "placing with keys", "one-statement page", "page"),
    *("lone orders", "lone orders over HTTP", "idle"),
)


def main() -> None:
    """Measures, prints tables, writes them."""
    options, console = _options(), Console()
    console.print("Starting Kafka and PostgreSQL")
    with rig.running() as kafka:
        from bench import campaign, machine, report  # they need Django to be set up

        size = replace(campaign.SHORT if options.short else campaign.Size(), batch_size=options.batch_size)
        figures = campaign.Campaign(kafka, size).run(options.only)
        result = report.as_json(figures, size, machine.describe(), " ".join(["python -m bench", *sys.argv[1:]]))
    console.print(*report.rich_tables(result), report.origin(result), sep="\n")
    report.write(result, rig.FOLDER if options.short or options.only else RESULTS)


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a tenth of the orders, one turn")
    parser.add_argument("--batch-size", type=int, default=2000, help="of the shop's consumers and of the ceiling")
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=[], metavar="NAME", help=", ".join(MEASUREMENTS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
