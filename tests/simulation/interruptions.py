"""What happens to a process in the midst of its turn: at each statement, commit, poll and call of a handler, the dice are thrown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg

from consumers.routes import Route
from kafka_shop.messaging.events import Event, Handler, Received
from tests.simulation.findings import Killed
from tests.simulation.processes import Consumer
from tests.simulation.sessions import Session

if TYPE_CHECKING:
    from tests.simulation.world import World

ERRORS = ("40001", "40P01", "53300", "55P03", "57014", "57P01", "08006")  # only time can help
HEALTH_CHECK = "SELECT 1"


class Interruptions:
    """What sessions, the broker and the handlers report to."""

    def __init__(self, world: World) -> None:
        self._world, self._random, self._strikes = world, world.random, world.faults.strikes

    # what sessions report
    def connecting(self, session: Session) -> None:
        if self._world.clock.monotonic() < self._world.database_away_until:
            raise psycopg.OperationalError("the database is away")

    def executing(self, session: Session, sql: str) -> None:
        if self._world.clock.monotonic() < self._world.database_away_until:
            session.lose()
        if sql == HEALTH_CHECK:
            return
        if self._strikes("process killed at a statement"):
            self._kill(session)
        if self._strikes("connection lost"):
            session.lose()
        if self._strikes("database error"):
            raise psycopg.errors.lookup(self._random.choice(ERRORS))("simulated")
        if self._strikes("process frozen"):
            self._freeze(session)

    def committing(self, session: Session) -> None:
        if self._strikes("process killed before a commit"):
            self._kill(session)
        if self._strikes("commit refused"):
            session.lose()
        if self._strikes("process frozen before a commit"):
            self._freeze(session)
        if isinstance(process := self._world.at_work, Consumer) and not session.autocommit:  # a claim makes no effects
            self._world.witness.before(process.service)

    def committed(self, session: Session) -> None:
        if isinstance(process := self._world.at_work, Consumer) and not session.autocommit:
            self._say(self._world.witness.after(process.name, process.service, process.topic.name))
        if self._strikes("process killed after a commit"):
            self._kill(session)
        if self._strikes("commit with unknown outcome"):
            session.lose()
            raise psycopg.OperationalError("the connection broke while COMMIT was under way")

    def _say(self, moved: str) -> None:
        if moved:
            self._world.say(moved)

    def rolled_back(self, session: Session) -> None:
        self._world.witness.forgets(self._world.at_work.name)

    def _kill(self, session: Session) -> None:
        session.end_transaction()
        raise Killed

    def _freeze(self, session: Session) -> None:
        """It stands still while others go on; its group may have given it up, and the server ended its transaction."""
        process = self._world.at_work
        self._world.say("is frozen")
        if isinstance(process, Consumer) and process.member and self._random.random() < 0.5:
            process.member.polls_in_vain = self._random.randint(0, 4)
            process.topic.expel(process.member)
        if session.in_transaction and self._random.random() < 0.3:
            session.lose()
        self._world.others_go_on(self._random.randint(1, 6))
        self._world.clock.advance(self._random.random())
        self._world.say("goes on")

    # what the broker reports
    def polled(self, timeout: float) -> None:
        if timeout and self._random.random() < 0.1:
            self._world.others_go_on(1)

    def sent(self) -> None:
        if self._strikes("relay killed after it produced"):
            self._kill(self._world.at_work.session)

    def overheard(self, route: Route) -> Route:
        return Route(route.group, route.topic, {kind: self._listening(handler) for kind, handler in route.handlers.items()})

    def _listening(self, handler: Handler) -> Handler:
        """The handler, with the witness beside it. A message that kills does so here."""

        def handle(events: Sequence[Received[Any]]) -> Sequence[Event]:
            if self._world.troubles.killers & {received.event.id for received in events}:
                self._kill(self._world.at_work.session)
            facts = handler(events)
            self._world.witness.hears(self._world.at_work.name, events)
            return facts

        return handle

    def batch_limit(self, limit: int) -> int:
        """How many messages a poll finds at most."""
        return self._random.randint(1, limit) if self._world.faults.chances else limit
