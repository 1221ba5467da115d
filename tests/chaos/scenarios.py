"""What a run does, by its options. For a set-up Django."""

import random
from argparse import Namespace
from pathlib import Path

from orders.services import seed_catalogue
from tests.chaos import bulk, campaign
from tests.chaos.faults import FAULTS
from tests.chaos.figures import Figures, Say
from tests.chaos.keeper import Keeper
from tests.chaos.rig import Rig


def title(options: Namespace) -> str:
    if options.orders:
        return f"{options.orders:,} orders"
    return {1: "one node", 3: "three nodes"}[options.nodes]


def run(rig: Rig, logs: Path, options: Namespace, *, say: Say, tell: Say) -> Figures:
    """Faults one after another, or very many orders. What did not come in time is a problem of the figures."""
    chosen = names(options)
    seed_catalogue()
    logs.mkdir(parents=True, exist_ok=True)
    keeper = Keeper(logs, rig.environment, rig.guardian)
    try:
        if options.orders:
            return bulk.run(rig, keeper, options.orders, say)
        stage, crowd = campaign.opened(rig, keeper, random.Random(options.seed))
        return campaign.Campaign(stage, crowd, say, tell).run(chosen, 60 * options.minutes)
    finally:
        keeper.close()


def names(options: Namespace) -> list[str]:
    """The faults that are asked for, or all that so many nodes allow. Raises SystemExit for one that there is not."""
    possible = [name for name, fault in FAULTS.items() if fault.nodes <= options.nodes]
    if options.fault and options.fault not in possible:
        raise SystemExit(f"there is no fault {options.fault!r} with --nodes {options.nodes}: {', '.join(possible)}")
    return [options.fault] if options.fault else possible
