"""Counts the points of a scenario; stops its process at one of them, restarts it, lets the shop come to rest and audits it."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from consumers import relay
from consumers.audit import audit
from kafka_shop.messaging.http import HttpCarrier
from orders.services import seed_catalogue
from tests.crash import children, people, shop, spies, world
from tests.crash.brokers import Broker, Model
from tests.crash.points import CRASHED, Effect, Points
from tests.crash.scenario import Scenario
from tests.crash.scenarios import SCENARIOS
from tests.crash.world import World
from tests.flows.shop import Web

MOST_TRIES = 3  # of a point: on a busy machine a beat that is due comes in between


class Recorded(NamedTuple):
    """A scenario's state, the effects of its process when nothing stops it, and how the shop then ends."""

    name: str
    world: World
    given: Any
    effects: list[Effect]
    ending: dict[str, Any]
    routes: set[str]  # that it posted to

    @property
    def points(self) -> range:
        return range(1, len(self.effects) + 1)


def enter(scenario: Scenario, broker: Broker) -> None:
    """Makes this process one of the scenario's shop."""
    for name, value in scenario.settings.items():
        setattr(settings, name, value)
    broker.enter()
    spies.plant_in_kafka(None, broker.models)
    relay.HttpCarrier = partial(HttpCarrier, transport=Web())  # type: ignore[assignment, attr-defined]  # the web is in this process


def record(name: str, broker: Broker) -> Recorded:
    """Prepares a scenario on the model, runs its process to its end, and the shop to rest. Raises ChildFailed."""
    scenario = SCENARIOS[name]
    state, given = children.result(partial(prepared, scenario))
    broker.begin(name)
    effects, routes = children.result(partial(whole_run, scenario, broker, state, given))
    return Recorded(name, state, given, effects, children.result(partial(rested, scenario, broker)), routes)


def prepared(scenario: Scenario) -> tuple[World, Any]:
    world.begin()
    enter(scenario, Model())
    seed_catalogue()
    given = scenario.prepare()
    return world.save(), given


def whole_run(scenario: Scenario, broker: Broker, state: World, given: Any) -> tuple[list[Effect], set[str]]:
    points = Points(kinds=broker.kinds)
    act(scenario, broker, state, given, points)
    return points.seen, people.posted_to


def act(scenario: Scenario, broker: Broker, state: World, given: Any, points: Points) -> None:
    """The process of a scenario, from its start to its end or to its crash."""
    world.restore(state)
    broker.restore(state.logs)
    enter(scenario, broker)
    spies.plant_in_psycopg(points)
    spies.plant_in_kafka(points, broker.models)
    scenario.act(given)
    points.end()


def rested(scenario: Scenario, broker: Broker) -> dict[str, Any]:
    """The shop's end, and what the audit says of it."""
    enter(scenario, broker)
    scenario.mend()
    shop.come_to_rest()
    report = audit(timezone.now())
    return {"findings": report.findings, "in flight": [each.check for each in report.in_flight], **shop.ending()}


def crash(recorded: Recorded, number: int, broker: Broker) -> str:
    """Stops the process at one point, restarts it, lets the shop come to rest. Returns what is wrong then, or ""."""
    scenario, effect = SCENARIOS[recorded.name], recorded.effects[number - 1]
    broker.begin(f"{recorded.name}-{number}")
    for _ in range(MOST_TRIES):
        ended = children.run(
            lambda say: act(scenario, broker, recorded.world, recorded.given, Points(number, last_words=say, kinds=broker.kinds))
        )
        as_recorded = (ended.code, ended.said) == (CRASHED, effect)
        if as_recorded or not broker.is_exact:
            break
    if not as_recorded and (broker.is_exact or ended.code not in {CRASHED, 0}):
        return f"it did not crash there: exit code {ended.code}, {ended.said}"
    after = children.run(lambda say: say(recovered(scenario, broker, recorded, number)))
    return str(after.said) if after.code else differences(recorded.ending, after.said)


def recovered(scenario: Scenario, broker: Broker, recorded: Recorded, number: int) -> dict[str, Any]:
    """Who got no answer asks again; without an Idempotency-Key only if the effect is not there. All processes are started again."""
    enter(scenario, broker)
    happened = scenario.has_happened is not None and scenario.has_happened(recorded.given)
    if scenario.has_happened is not None:
        assert happened == was_decided(scenario, recorded, number), "the effect is there and was not committed, or the other way round"
    if scenario.is_asked_for and (scenario.repeats or not happened):
        scenario.act(recorded.given)
    return rested(scenario, broker)


def was_decided(scenario: Scenario, recorded: Recorded, number: int) -> bool:
    """Whether the statement that makes a request's effect was passed before the crash."""
    deciding = [place for place, effect in enumerate(recorded.effects, 1) if effect.label.startswith(scenario.decided_by)]
    return number > deciding[-1]


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What there is less, and what there is more, than had nothing crashed."""
    wrong: list[str] = []
    for name in expected:
        before, after = Counter(expected[name]), Counter(found[name])
        wrong += [f"{name} lack {row}" for row in (before - after).elements()]
        wrong += [f"{name} have {row} too" for row in (after - before).elements()]
    return "; ".join(wrong)
