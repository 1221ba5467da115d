"""The person who does what the manual says: mends lost positions, and puts facts back that a log has lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers import republication
from consumers.rewind import rewind
from consumers.routes import PUBLISHERS, REPUBLISH, ROUTES
from tests.simulation.clock import START
from tests.simulation.processes import Consumer, Process

if TYPE_CHECKING:
    from tests.simulation.sessions import Session
    from tests.simulation.world import World


class Operator(Process):
    """Nothing goes wrong in this one's own sessions, and nobody else takes a turn meanwhile."""

    def __init__(self, session: Session, world: World) -> None:
        super().__init__("operator", session, world)
        self._lost: list[str] = []  # services whose consumers have stopped

    def mend(self, service: str, complaint: str) -> None:
        """Is called to a consumer that has stopped."""
        self.world.say(complaint.split(":")[0])
        self._lost.append(service)

    @property
    def called(self) -> bool:
        return bool(self._lost)

    def turn(self) -> None:
        """`run_consumer NAME --from earliest` with the group stopped, then `republish` what the topic's publisher has ever stated."""
        service = self._lost.pop(0)
        for process in self.world.processes:
            if isinstance(process, Consumer) and process.service == service:
                self.world.takes_turn(process, process.stop)
        rewind(service, "earliest", self.world.clock.now())
        self.republish(PUBLISHERS[ROUTES[service].topic])

    def republish(self, service: str) -> None:
        self.world.say(f"republishes what {service} has stored")
        republication.republish_since(service, START, self.world.clock.now())

    def republish_all(self) -> None:
        for service in REPUBLISH:
            self.republish(service)
