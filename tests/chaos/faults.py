"""Every fault that a run can cause: how it is injected, and what should come of it. For a set-up Django."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from kafka_shop.databases import rows
from tests.chaos import outside
from tests.chaos.keeper import Keeper
from tests.chaos.proxy import Proxy
from tests.chaos.rig import Rig

FROZEN_SECONDS = 5.0  # the groups miss a member after 3 s
AWAY_SECONDS = 3.0
DELAY_SECONDS = 0.3
HALF_OPEN_SECONDS = 8.0  # what TCP keepalives need to find it (DATABASE_OPTIONS)
STORM_SECONDS = 6.0
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

GOES_ON = "the others go on; it goes on where it was"
WAITS = "processes stay and try again; orders are accepted and wait"
REFUSES = "POST is answered with 503; processes stay and try again"


@dataclass
class Stage:
    """Where faults happen, and what is measured of them beside the recovery, in seconds."""

    rig: Rig
    keeper: Keeper
    chance: random.Random
    stops: list[float] = field(default_factory=list)  # from SIGTERM to the exit
    holds: list[float] = field(default_factory=list)  # of a partition by a poisoned message
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def one(self, kind: str) -> list[str]:
        """A process of this kind."""
        return [self.chance.choice(self.keeper.names(kind))]

    def lasts(self, seconds: float) -> None:
        """Lets a fault last."""
        Event().wait(seconds)


@dataclass(frozen=True)
class Fault:
    """`inject` returns when the fault has ended."""

    how: str
    expected: str
    inject: Callable[[Stage], None]
    nodes: int = 1  # the fewest that it needs


def kill(*kinds: str) -> Callable[[Stage], None]:
    """Ends a process of each kind; without kinds all."""
    return lambda stage: stage.keeper.kill([name for kind in kinds for name in stage.one(kind)] or stage.keeper.names(""))


def freeze(kind: str) -> Callable[[Stage], None]:
    def inject(stage: Stage) -> None:
        [name] = stage.one(kind)
        worker = stage.keeper.worker(name)
        worker.freeze()
        stage.lasts(FROZEN_SECONDS)
        worker.thaw()

    return inject


def stop(stage: Stage) -> None:
    for kind in ("web", "relay", "consumer"):
        for name in stage.one(kind):
            seconds = stage.keeper.stop(name)
            stage.stops += [] if seconds is None else [seconds]


def restart_postgres(stage: Stage) -> None:
    stage.rig.postgres.restart()


def end_sessions(stage: Stage) -> None:
    rows("default", END_SESSIONS)


def take_down(count: int) -> Callable[[Stage], None]:
    """Kills so many nodes and starts them again."""

    def inject(stage: Stage) -> None:
        for node in stage.chance.sample(range(1, stage.rig.nodes + 1), count):
            stage.rig.kafka.kill(node)
        stage.lasts(AWAY_SECONDS)
        stage.rig.kafka.start()

    return inject


def storm(stage: Stage) -> None:
    stage.counts["members"] += outside.storm(stage.rig.kafka, STORM_SECONDS)


def poison(stage: Stage) -> None:
    stage.holds.append(outside.poison(stage.rig.kafka))
    stage.counts["poisoned messages"] += 1


def duplicate(stage: Stage) -> None:
    stage.counts["duplicates"] += outside.duplicate(stage.rig.kafka)


def several(stage: Stage) -> None:
    """Something happens to a process while something happens to what it stands on."""
    names = [stage.chance.choice(PROCESSES), stage.chance.choice(GROUND)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: FAULTS[name].inject(stage), names))


Choice = Callable[[Rig], Sequence[Proxy]]


def brokers(rig: Rig) -> Sequence[Proxy]:
    return rig.broker_proxies


def database(rig: Rig) -> Sequence[Proxy]:
    return [rig.database_proxy]


def reset(before: Choice) -> Callable[[Stage], None]:
    def inject(stage: Stage) -> None:
        for proxy in before(stage.rig):
            proxy.reset()

    return inject


def delay(before: Choice) -> Callable[[Stage], None]:
    def inject(stage: Stage) -> None:
        for proxy in before(stage.rig):
            proxy.delay(DELAY_SECONDS)
        stage.lasts(AWAY_SECONDS)
        for proxy in before(stage.rig):
            proxy.delay(0)

    return inject


def half_open_brokers(stage: Stage) -> None:
    for proxy in stage.rig.broker_proxies:
        proxy.silence()


def half_open_database(stage: Stage) -> None:
    """The kernel at the proxy's end answers TCP keepalives, so the RST that they would find comes from the proxy."""
    stage.rig.database_proxy.silence()
    stage.lasts(HALF_OPEN_SECONDS)
    stage.rig.database_proxy.reset_silent()


FAULTS: dict[str, Fault] = {
    "none": Fault("nothing happens", "for comparison", lambda stage: None),
    "web killed": Fault("kill -9 of the web", "connections break; orders are accepted again", kill("web")),
    "relay killed": Fault("kill -9 of one of two", "the other takes over", kill("relay")),
    "consumer killed": Fault("kill -9 of one of two of a group", "the other takes over when the group misses it (3 s)", kill("consumer")),
    "all killed": Fault("kill -9 of every process at once", "all go on where they were", kill()),
    "stopped": Fault("SIGTERM to a web, a relay and a consumer", "each ends with 0 within 5 s", stop),
    "relay frozen": Fault(f"SIGSTOP for {FROZEN_SECONDS:g} s, then SIGCONT", GOES_ON, freeze("relay")),
    "consumer frozen": Fault(
        f"SIGSTOP for {FROZEN_SECONDS:g} s, longer than its session", "the other takes over; it is fenced", freeze("consumer")
    ),
    "PostgreSQL restarted": Fault("pg_ctl restart -m immediate", REFUSES, restart_postgres),
    "sessions ended": Fault("pg_terminate_backend of every session", REFUSES, end_sessions),
    "broker killed": Fault(f"kill -9 of a broker, started again after {AWAY_SECONDS:g} s", WAITS, take_down(1)),
    "two brokers killed": Fault(f"kill -9 of two of three, started again after {AWAY_SECONDS:g} s", WAITS, take_down(2), nodes=3),
    "rebalance storm": Fault(f"members join and leave every group for {STORM_SECONDS:g} s", "partitions move, nothing doubles", storm),
    "Kafka: reset": Fault("RST on every connection", WAITS, reset(brokers)),
    "Kafka: delay": Fault(f"{DELAY_SECONDS:g} s each way for {AWAY_SECONDS:g} s", "slower", delay(brokers)),
    "Kafka: half-open": Fault("connections go silent for good; new ones work", WAITS, half_open_brokers),
    "PostgreSQL: reset": Fault("RST on every connection", REFUSES, reset(database)),
    "PostgreSQL: delay": Fault(f"{DELAY_SECONDS:g} s each way for {AWAY_SECONDS:g} s", "slower", delay(database)),
    "PostgreSQL: half-open": Fault(f"connections go silent, RST after {HALF_OPEN_SECONDS:g} s; new ones work", REFUSES, half_open_database),
    "poison": Fault("a message that cannot be applied", "a dead letter; the partition goes on within 2 s", poison),
    "duplicates": Fault(f"the last messages again, {outside.COPIES} times, in any order", "nothing changes", duplicate),
    "two at once": Fault("one of a process, one of a broker or the database", "as for each of them", several),
}
PROCESSES = ("web killed", "relay killed", "consumer killed", "all killed", "relay frozen", "consumer frozen")
GROUND = (
    "PostgreSQL restarted",
    "sessions ended",
    "broker killed",
    "Kafka: reset",
    "Kafka: half-open",
    "PostgreSQL: reset",
    "PostgreSQL: half-open",
)
