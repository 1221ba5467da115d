"""`python -m tests.chaos`: the whole shop on a real Kafka and a real PostgreSQL, under every fault that can be caused on one machine.

Customers order over HTTP all the time. Faults follow one another; after each the time is taken until new orders have their letters. In the
end all settles, nothing may be lost or doubled, and the audit must be clean. With --orders no fault is caused: so many orders are placed,
and a tenth of all messages arrive twice, a tenth late. Results go to docs/results, those of single faults and of short runs to var/chaos.
"""

import random
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from rich.console import Console

from tests.chaos import rig

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
MINUTES, LEAST_MINUTES = 10.0, 5.0  # by default, and for the results to be kept in docs


def main() -> None:
    options, console = arguments(), Console(highlight=False)
    logs = rig.FOLDER / "log" / str(options.seed)
    console.print(f"seed {options.seed}; the processes' logs are in {logs}")
    with console.status("starting Kafka and PostgreSQL") as status, rig.running(options.nodes) as parts:
        from tests.chaos import report, scenarios  # they need Django to be set up

        figures = scenarios.run(parts, logs, options, say=status.update, tell=console.print)
        command = " ".join(["python -m tests.chaos", *sys.argv[1:]])
        found = report.as_json(figures, command=command, seed=options.seed)
    whole = not options.fault and (options.orders or options.minutes >= LEAST_MINUTES)
    report.write(RESULTS if whole else rig.FOLDER, scenarios.title(options), found)
    console.print(report.page({scenarios.title(options): found}), markup=False, soft_wrap=True)
    if not figures.clean:
        sys.exit(f"something is lost, doubled or not as it must be; again with --seed {options.seed}")


def arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.chaos", description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="N", help="how long, but every fault once (10)")
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1, help="brokers (1)")
    parser.add_argument("--fault", metavar="NAME", help="only this one, again and again")
    parser.add_argument("--orders", type=int, metavar="N", help="no faults, but so many orders over a bad network")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), metavar="N", help="which faults in which order")
    return parser.parse_args()


if __name__ == "__main__":
    main()
