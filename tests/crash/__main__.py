"""`python -m tests.crash`: stops the shop's processes at every point of every scenario, and says what was lost or doubled.

With the name of a scenario only this one; with the number of a point, too, only there: what a failure says to type.
"""

import os
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

import django

from tests import environment

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


def main() -> int:
    """Runs, prints, writes; returns the exit code."""
    assert environment  # it has set the tests' environment
    os.environ["DJANGO_SETTINGS_MODULE"] = "kafka_shop.settings"
    django.setup()
    from tests.crash import brokers, campaign, report  # they need Django
    from tests.crash.scenarios import ON_KAFKA, ON_MODEL, SCENARIOS

    options = options_of(list(SCENARIOS))
    began = time.monotonic()
    broker = brokers.RealKafka(options.kafka) if options.kafka else brokers.Model()
    names = [options.scenario] if options.scenario else list(ON_KAFKA if options.kafka else ON_MODEL)
    recorded = campaign.begin(names, broker, options.workers)
    points = campaign.all_points() if options.point is None else [(options.scenario, options.point)]
    result = report.Result(recorded, len(points))
    for wrong in result.wrong:
        sys.stdout.write(f"{wrong}\n")
    for outcome in campaign.crash_at(points, options.workers):
        sys.stdout.write(result.add(outcome))
        sys.stdout.flush()
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{result.progress()}")
    result.seconds = time.monotonic() - began
    sys.stdout.write(f"\n{result.progress()}, {result.seconds:.0f} s\n")
    if options.json:
        options.json.write_bytes(result.as_json())
    if not (options.scenario or options.json or options.kafka):
        (RESULTS / "crash-points.md").write_text(result.as_markdown())
    return 1 if result.wrong else 0


def options_of(names: list[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.crash", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", choices=names, metavar="SCENARIO", help=", ".join(names))
    parser.add_argument("point", nargs="?", type=int, metavar="POINT", help="the number of one point")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="points that are tried at once (2)")
    parser.add_argument("--kafka", metavar="HOST:PORT", help="on this Kafka, the points of its client only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found there, instead of docs/results/crash-points.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
