"""The shop's processes, a turn at a time: consumers and relays. What they do is the product's; here they are started, and die."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from django.db import Error as DatabaseError
from django.db import close_old_connections

from consumers import republication
from consumers.failures import Verdict, judge
from consumers.loop import Loop
from consumers.membership import PositionLost
from consumers.relay import couriers, sweep
from consumers.routes import ROUTES
from kafka_shop.messaging.kafka import BrokerAway
from kafka_shop.messaging.relay import Courier
from tests.simulation.broker import Member
from tests.simulation.findings import Broken
from tests.simulation.sessions import Session

if TYPE_CHECKING:
    from tests.simulation.world import World


class Process:
    """Somebody who takes turns, with a database session of his own."""

    def __init__(self, name: str, session: Session, world: World) -> None:
        self.name, self.session, self.world = name, session, world

    def turn(self) -> None:
        raise NotImplementedError

    def round(self) -> None:
        """What it does in a while without faults."""
        self.turn()

    def die(self) -> None:
        """Killed: what it knew is gone."""


class Consumer(Process):
    """One process of `run_consumer`; it is started again whenever it has ended."""

    def __init__(self, name: str, service: str, session: Session, world: World) -> None:
        super().__init__(name, session, world)
        self.service, self.topic = service, world.cluster.topics[ROUTES[service].topic]
        self.loop: Loop | None = None

    @property
    def member(self) -> Member | None:
        """Its subscription, from the moment on when it has one."""
        return next((member for member in reversed(self.topic.group) if member.process is self), None)

    def turn(self) -> None:
        try:
            if self.loop is None:
                self.loop = Loop(self.service)
                self.world.say("starts")
            else:
                self.loop.run_once()
        except (BrokerAway, DatabaseError) as error:
            self._end(error)
        except PositionLost as error:
            self.stop()
            self.world.operator.mend(self.service, str(error))

    def stop(self) -> None:
        """SIGTERM: gives back what it holds."""
        if self.loop:
            self.world.say("stops")
            self.loop.close()
        self.loop = None

    def die(self) -> None:
        self.topic.expel_all(self)
        self.loop = None

    def _end(self, error: Exception) -> None:
        """A start without database or broker fails, and is tried again; a running consumer waits for both."""
        if self.loop is not None:
            raise Broken("liveness", f"{self.name} ended: {type(error).__name__} {error}")
        self.world.say("cannot start")
        self.die()
        self.world.clock.advance(0.5)
        close_old_connections()


class Relay(Process):
    """One process of `run_relay`: its threads' steps, one a turn."""

    def __init__(self, name: str, session: Session, world: World) -> None:
        super().__init__(name, session, world)
        self._couriers: list[Courier] = []

    def turn(self) -> None:
        self._try(self._step)

    def _try(self, work: Callable[[], object]) -> None:
        """A step; what only time can mend is tried again in a later turn, as the relay does."""
        try:
            work()
        except (BrokerAway, DatabaseError) as error:
            if judge(error) in {Verdict.STOP, Verdict.POISON}:
                raise Broken("liveness", f"{self.name} ended: {type(error).__name__} {error}") from error
            self.world.say(f"tries again after {type(error).__name__}")
            self.world.clock.advance(0.5)
            close_old_connections()

    def die(self) -> None:
        self._couriers = []

    def round(self) -> None:
        """Carries what waits for each destination."""
        for courier in couriers():
            self._try(partial(self._carry, courier))

    def tend(self) -> None:
        """Looks after logs and orders once."""
        for step in (republication.watch_logs, sweep, republication.step):
            self._try(partial(step, self.world.clock.now()))

    def _step(self) -> None:
        """A relay that has started looks at the logs first; a courier's turn is the most frequent of its steps."""
        if not self._couriers:
            republication.watch_logs(self.world.clock.now())
            self._couriers = couriers()
        elif self.world.random.random() < 0.9:
            self._carry(self.world.random.choice(self._couriers))
        else:
            self._tend()

    def _carry(self, courier: Courier) -> None:
        if published := courier.turn(self.world.clock.now()):
            self.world.say(f"published {published} to {courier.destination}")

    def _tend(self) -> None:
        now, kind = self.world.clock.now(), self.world.random.randrange(3)
        done = (sweep, republication.watch_logs, republication.step)[kind](now)
        if done:
            self.world.say(("swept {}", "found {} logs new", "republishes for {} services")[kind].format(done))
