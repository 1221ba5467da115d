"""A short bench: what a message costs a consumer, beside the ceiling, has not grown by half since docs/results/bench.json was written.

It counts the CPU of process and database, not the time: that is the same on a machine that does other things meanwhile.
"""

import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from pytest_django import Settings

from bench import ceiling, data, load, shop
from consumers.loop import Loop
from consumers.routes import ROUTES
from kafka_shop.databases import rows
from kafka_shop.messaging.events import Event
from tests.kafka.cluster import KafkaCluster

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "bench.json"
MESSAGES = 6_000
TURNS = 2  # of which the cheaper counts
FACTS: Mapping[str, Callable[..., Event]] = {"billing": lambda order: order, "orders": load.paid, "notify": load.settled}
KEPT = 2 / 3  # of the share of the ceiling that was written down

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("committed", "no_collector")]


@pytest.fixture
def no_collector() -> Iterator[None]:
    """A consumer spares its collector; here it would look through all that the tests hold."""
    gc.disable()
    yield
    gc.enable()


def test_no_consumer_costs_half_as_much_again_as_was_written_down(kafka: KafkaCluster, settings: Settings) -> None:
    settings.KAFKA_BOOTSTRAP_SERVERS = kafka.bootstrap
    customers = load.make_customers(200)
    orders = list(load.make_orders(customers, MESSAGES))
    settings.TOPICS = {ROUTES[name].topic: full_topic(kafka, map(fact, orders)) for name, fact in FACTS.items()}
    costs: dict[str, list[float]] = {name: [] for name in ("ceiling", *FACTS)}
    for _ in range(TURNS):
        for name, measured in costs.items():
            data.prepare(customers, balance=Decimal("1000.00"))
            if name == "orders":
                data.place(orders, publish=False)
            data.settle_down()
            measured.append(cost_of_ceiling(kafka, settings.TOPICS["order-topic"]) if name == "ceiling" else cost_of(name))
    data.verify(letters=MESSAGES, dead_letters=0)

    shares = {name: min(costs["ceiling"]) / min(costs[name]) for name in FACTS}
    least = {name: KEPT * share for name, share in written_down().items()}
    said = f"shares of the ceiling: {shares}; at least {least}; CPU seconds a message: {costs}"
    assert all(shares[name] >= least[name] for name in FACTS), said


def full_topic(kafka: KafkaCluster, facts: Iterator[Event]) -> str:
    topic = f"full-{uuid4()}"
    kafka.create_topic(topic, partitions=2)
    load.produce(kafka.bootstrap, topic, facts)
    return topic


def cost_of_ceiling(kafka: KafkaCluster, topic: str) -> float:
    """The CPU seconds of a message."""
    begun = cpu_seconds()
    ceiling.run(kafka.bootstrap, shop.dsn(), topic)
    return (cpu_seconds() - begun) / MESSAGES


def cost_of(name: str) -> float:
    """The CPU seconds of a message, from a consumer's first batch to its last."""
    marks: list[tuple[float, int]] = []

    def mark(loop: Loop) -> None:
        if loop.tally.messages and not marks:
            marks.append((cpu_seconds(), loop.tally.messages))

    Loop(name).run(finished=lambda loop: loop.tally.messages >= MESSAGES, each_turn=mark)
    [(begun, read)] = marks
    return (cpu_seconds() - begun) / (MESSAGES - read)


def cpu_seconds() -> float:
    """What this process and PostgreSQL, with its ended sessions, have used so far."""
    [(folder,)] = rows("default", "SHOW data_directory")
    postmaster = psutil.Process(int(Path(folder, "postmaster.pid").read_text().split()[0]))
    return time.process_time() + sum(sum(each.cpu_times()[:4]) for each in (postmaster, *postmaster.children()))


def written_down() -> dict[str, float]:
    """Of each consumer, the share of the ceiling: by the CPU of its process and of PostgreSQL."""
    costs = json.loads(RESULTS.read_text())["cpu_us"]
    top = costs["ceiling"]["bench"] + costs["ceiling"]["postgres"]
    return {name: top / (costs[name][name] + costs[name]["postgres"]) for name in FACTS}
