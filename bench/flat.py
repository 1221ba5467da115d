"""`make flat`: the speed of a shop with millions of orders beside that of one with none, in one run on one PostgreSQL and one Kafka.

The full database is kept under var/flat for the next run. A part's figures take the place of its last ones in docs/results/flat.json.
"""

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rich.console import Console

from bench import rig
from kafka_shop.local import postgres
from tests.kafka.cluster import KafkaCluster

ORDERS = 5_000_000
PARTS = ("speed", "pages", "relay", "memory")


def main() -> None:
    """Fills, measures, writes the tables."""
    options, console = _options(), Console()
    rig.FOLDER = rig.FOLDER.with_name("flat")  # beside that of `make bench`: what is filled stays
    folder = rig.FOLDER / "postgres"
    postgres.join(folder, ["empty", "few", "full"])
    with tempfile.TemporaryDirectory(dir=rig.FOLDER) as logs, KafkaCluster(Path(logs)) as kafka:
        rig.set_up(f"postgres:///{folder}/full", kafka.bootstrap, rig.FOLDER)
        from bench import flat_report, flatness  # they need Django to be set up

        found = flatness.Flatness(kafka, options.orders, options.turns).run(options.only or PARTS)
        flat_report.write(found, options.orders, " ".join(["python -m bench.flat", *sys.argv[1:]]))
    console.print(flat_report.page(), markup=False)


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bench.flat", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, metavar="N", help="in the full database: five million, unless said otherwise")
    parser.add_argument("--turns", type=int, default=3, metavar="N", help="of what is measured by its speed: three, unless said otherwise")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[], metavar="PART", help=", ".join(PARTS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
