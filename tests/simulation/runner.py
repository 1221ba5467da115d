"""Runs one history after another on one database."""

import traceback

from tests.simulation import databases
from tests.simulation.findings import Broken
from tests.simulation.sessions import Session, observer
from tests.simulation.workers import SESSIONS, Outcome
from tests.simulation.world import World


class Runner:
    """Keeps the sessions open between histories: to connect costs more than most of them."""

    def __init__(self, template: str) -> None:
        databases.use(databases.copy(template))
        self._observer = observer()
        self._cleaner = databases.Cleaner(self._observer)
        self._sessions: list[Session] = []

    def simulate(self, seed: int) -> Outcome:
        self._sessions = self._sessions or [Session(f"simulation-{number}") for number in range(SESSIONS)]
        self._cleaner.clean()
        world = World(seed, self._sessions, self._observer)
        outcome = Outcome(seed, faults=world.faults.injected, trace=world.trace)
        try:
            world.run()
        except Broken as broken:
            outcome.failure = world.named(str(broken))
        except Exception as error:
            outcome.failure = f"crash: {type(error).__name__}: {error}"
            outcome.trace.extend(traceback.format_exc().splitlines())
        outcome.orders, outcome.deliveries = len(world.shop.orders), world.witness.deliveries
        self._leave(failed=bool(outcome.failure))
        return outcome

    def _leave(self, *, failed: bool) -> None:
        """Nobody is told of sessions any more; after a failure they are in whatever state, and are opened anew."""
        for session in self._sessions:
            session.watcher = None
            if failed:
                session.close()
        if failed:
            self._sessions = []
