"""Customers order all the time, one fault follows another, and in the end nothing is lost or doubled. For a set-up Django."""

import os
import random
import time
from collections.abc import Iterator, Sequence
from subprocess import TimeoutExpired

from consumers.routes import ROUTES
from kafka_shop.local.plan import Web, manage, shop
from kafka_shop.local.readiness import web_is_ready
from tests.chaos.customers import Crowd
from tests.chaos.faults import FAULTS, Stage
from tests.chaos.figures import Figures, Say
from tests.chaos.keeper import BadEnd, Keeper
from tests.chaos.rig import Rig
from tests.chaos.verdict import judge
from tests.kafka.ports import free_ports
from tests.kafka.probe import wait_until

POISON_EVERY = 1000  # orders
START_SECONDS = 120.0  # a bound for what never comes


class Campaign:
    """Injects faults into a running shop."""

    def __init__(self, stage: Stage, crowd: Crowd, say: Say, tell: Say) -> None:
        """say: what goes on now; tell: what came of it."""
        self._stage, self._crowd, self._say, self._tell = stage, crowd, say, tell
        self._figures = Figures()

    def run(self, names: Sequence[str], seconds: float) -> Figures:
        """Each of the faults once, in any order, then again, until the time is over; then all settles."""
        figures, stage, begun = self._figures, self._stage, time.monotonic()
        with self._crowd.ordering():
            try:
                self._cause_all(names, begun + seconds)
            except (TimeoutError, TimeoutExpired, BadEnd) as error:
                figures.problems.append(str(error))
        figures.seconds = time.monotonic() - begun
        figures.counts, figures.stops, figures.holds = dict(stage.counts), stage.stops, stage.holds
        judge(figures, self._crowd.accepted, self._say)
        figures.answers, figures.fates = dict(self._crowd.answers), dict(stage.keeper.fates)
        return figures

    def _cause_all(self, names: Sequence[str], until: float) -> None:
        self._say("waiting for the first orders")
        self._crowd.begin()
        for count, name in enumerate(self._deck(names)):
            if count >= len(names) and time.monotonic() > until:
                return
            self._cause(name)

    def _deck(self, names: Sequence[str]) -> Iterator[str]:
        while True:
            yield from self._stage.chance.sample(names, len(names))

    def _cause(self, name: str) -> None:
        """Injects a fault, and takes the time until orders come to their ends again."""
        while self._stage.counts["poisoned messages"] < len(self._crowd.accepted) // POISON_EVERY:
            FAULTS["poison"].inject(self._stage)
        self._figures.loads.append(os.getloadavg()[0])
        self._say(f"{name}: now")
        FAULTS[name].inject(self._stage)
        self._say(f"{name}: over")
        took = self._crowd.recovery()
        self._figures.recoveries.setdefault(name, []).append(took)
        self._tell(f"{name:22} recovered after {took:4.1f} s; {len(self._crowd.accepted):6,} orders")


def opened(rig: Rig, keeper: Keeper, chance: random.Random) -> tuple[Stage, Crowd]:
    """The shop's processes: a web, two relays, two consumers of each kind; and its customers."""
    web = Web(free_ports(1)[0])
    keeper.start("web", next(each.command for each in shop([web]) if each.name == "web"))
    for number in (1, 2):
        keeper.start(f"relay-{number}", manage("run_relay"))
        for name in ROUTES:
            keeper.start(f"consumer-{name}-{number}", manage("run_consumer", name))
    crowd = Crowd(web.address)
    wait_until(lambda: web_is_ready(web), START_SECONDS, "the web answers")
    return Stage(rig, keeper, chance), crowd
