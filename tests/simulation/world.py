"""One history: processes take turns, faults strike where the dice say, then all comes to rest and is judged."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from unittest.mock import patch

from django.test import override_settings

from consumers.routes import ROUTES
from tests.simulation import verdict
from tests.simulation.clock import Clock, Dice
from tests.simulation.cluster import Cluster
from tests.simulation.customers import Customers, people, wishes
from tests.simulation.faults import Faults
from tests.simulation.findings import Broken, Killed
from tests.simulation.interruptions import Interruptions
from tests.simulation.model import Shop
from tests.simulation.operator import Operator
from tests.simulation.processes import Consumer, Process, Relay
from tests.simulation.replaced import at_work, replaced
from tests.simulation.sessions import Session
from tests.simulation.troubles import Troubles
from tests.simulation.witness import Witness

TOPICS = ("order-topic", "billing-topic", "notify-topic")
DEEPEST = 3  # processes that stand still inside of each other's turns
FEWEST_TURNS, MOST_TURNS = 60, 160  # with faults
BUSY_WEB = 3  # its turns for one of another process
TEND_EVERY = 5  # rounds
MOST_ROUNDS = 300  # to come to rest
SWEEPS = 4  # that may be needed to heal what was lost
PAUSES = (0.01, 0.1, 0.5)  # seconds between two turns
LONG_SECONDS = 100_000.0  # longer than the longest pause of the sweep
WAITING = (
    "SELECT (SELECT count(*) FROM messaging_outboxrow) + (SELECT count(*) FROM messaging_publishedlog WHERE republish_since IS NOT NULL)"
)


class World:
    """All that there is in one history. Its processes' sessions report to it."""

    def __init__(self, seed: int, sessions: Sequence[Session], observer: Any) -> None:
        self.seed, self.observer, self.random, self.clock = seed, observer, Random(f"world {seed}"), Clock()
        self.faults = Faults(Random(f"faults {seed}"))
        self.trace: list[str] = []
        self.names: dict[str, str] = {}  # of orders, for people
        self.database_away_until = 0.0
        self.turns = 0
        self._stack: list[Process] = []
        self.cluster = Cluster(self.clock, {name: self.random.randint(1, 3) for name in TOPICS})
        self.settings = drawn_settings(self.random)
        self.shop = Shop(on_request=self.settings["BILLING_MODE"] == "on_request")
        self.witness, self.troubles, self.interruptions = Witness(observer, self.shop), Troubles(self), Interruptions(self)
        self._staff(iter(sessions))
        self._wire()

    def _staff(self, sessions: Any) -> None:
        """Two consumers of each service that has more to do than one, two relays of which one stands by, the web, and an operator."""
        self.operator = Operator(next(sessions), self)
        self.customers = Customers(next(sessions), self, [])
        self.relays = [Relay(f"relay-{number}", next(sessions), self) for number in range(1, 3)]
        self.consumers = [
            Consumer(f"{service}-{number}", service, next(sessions), self)
            for service in ROUTES
            for number in range(1, 2 + self.random.randrange(2))
        ]
        self.processes: list[Process] = [*self.relays, *self.consumers]

    def _wire(self) -> None:
        """Who is told of what."""
        for process in (*self.processes, self.customers):
            process.session.watcher = self.interruptions
        self.operator.session.watcher = None
        cluster = self.cluster
        cluster.process_at_work, cluster.batch_limit = lambda: self.at_work, self.interruptions.batch_limit
        cluster.polled, cluster.sending, cluster.sent = self.interruptions.polled, self.troubles.sending, self.interruptions.sent
        cluster.written = self.witness.writes

    # the history
    def run(self) -> None:
        """Raises Broken when an invariant does not hold."""
        dice = Dice(self.seed, self.clock)
        routes = {name: self.interruptions.overheard(route) for name, route in ROUTES.items()}
        with override_settings(**self.settings), replaced(self.clock, dice, self.cluster, self.say), patch.dict(ROUTES, routes):
            customers = people(self.random)
            self.takes_turn(self.operator, lambda: self.customers.open_accounts(customers))
            self.customers.wishes = wishes(self.random, customers)
            self._live_with_faults()
            self._come_to_rest()
            self.takes_turn(self.operator, lambda: verdict.judge(self))

    def _live_with_faults(self) -> None:
        while self.turns < FEWEST_TURNS or (self.customers.wishes and self.turns < MOST_TURNS):
            self.turns += 1
            self.clock.advance(self.random.choice(PAUSES))
            self.troubles.come()
            if not self._call_operator():
                self._somebody_takes_a_turn()

    def _come_to_rest(self) -> None:
        """Faults end. A person puts back what only a person can, and the sweep asks for the rest."""
        self.say("no more faults")
        self.faults.end()
        self.database_away_until = self.cluster.away_until = 0.0
        self.troubles.deliver_late(everything=True)
        self._settle()
        if self.troubles.logs_cut or self.witness.dead:
            self.takes_turn(self.operator, self.operator.republish_all)
            self._settle()
        for _ in range(SWEEPS):
            if self.shop.unfinished():
                self.clock.advance(LONG_SECONDS)
                self._settle()

    def _settle(self) -> None:
        """Everybody takes turns until nothing is left to do."""
        for number in range(MOST_ROUNDS):
            self.clock.advance(1)
            if number % TEND_EVERY == 0:
                self.takes_turn(self.relays[0], self.relays[0].tend)
            if not self._call_operator():
                for process in (self.customers, self.relays[0], *self.consumers):
                    self.takes_turn(process, process.round)
            if not (busy := self._busy()):
                return
        raise Broken("liveness", f"the shop does not come to rest in {MOST_ROUNDS} rounds: {busy}")

    def _busy(self) -> str:
        """What is still to be done, or ""."""
        if self.operator.called or self.customers.wishes:
            return "somebody waits to be served"
        behind = [f"{name} has not read all" for name in ROUTES if self._is_behind(name)]
        [(rows,)] = self.observer.execute(WAITING)
        return ", ".join(behind) or (f"{rows} facts wait" if rows else "")

    def _is_behind(self, name: str) -> bool:
        topic, positions = self.cluster.topics[ROUTES[name].topic], self.witness.positions(name)
        return any(positions.get(number) != (topic.marks(number).high, topic.log) for number in topic.logs)

    # turns
    @property
    def at_work(self) -> Process:
        """Whose turn it is; between turns the operator's, who does nothing then."""
        return self._stack[-1] if self._stack else self.operator

    def takes_turn(self, process: Process, work: Callable[[], None]) -> None:
        self._stack.append(process)
        try:
            with at_work(process.session):
                work()
        except Killed:
            self.say("is killed")
            process.die()
        finally:
            self._stack.pop()

    def _somebody_takes_a_turn(self) -> None:
        """Somebody who does not stand still in the midst of a turn."""
        waiting = [each for each in (*[self.customers] * BUSY_WEB, *self.processes) if each not in self._stack]
        process = self.random.choice(waiting)
        self.takes_turn(process, process.turn)

    def _call_operator(self) -> bool:
        """Whether the operator was needed, and came."""
        if not self.operator.called or self.cluster.is_away():
            return False
        self.takes_turn(self.operator, self.operator.turn)
        return True

    def others_go_on(self, turns: int) -> None:
        for _ in range(turns if len(self._stack) < DEEPEST else 0):
            self._somebody_takes_a_turn()

    # words
    def say(self, text: str) -> None:
        who = self._stack[-1].name if self._stack else ""
        self.trace.append(f"{self.clock.monotonic():10.3f} {'  ' * len(self._stack)}{who} {text}")

    def name(self, subject: object) -> str:
        """What people call an order, in place of its id."""
        return self.named(str(subject))

    def named(self, text: str) -> str:
        for id, name in self.names.items():
            text = text.replace(id, name)
        return text


def drawn_settings(random: Random) -> dict[str, Any]:
    return {
        "BILLING_MODE": random.choice(("auto", "auto", "auto", "on_request")),
        "BATCH_SIZE": random.randint(1, 12),
        "RETRY_BACKOFF_MS": (100, 2000),
        "DEBUG": False,
    }
