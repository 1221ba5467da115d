"""The shop's own processes under measurement: each consumer alone, and all of them together. For a set-up Django."""

import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from django.db import connection
from django.test import override_settings
from psycopg.conninfo import make_conninfo

from bench import data, rig
from bench.cores import Cores
from consumers.positions import Positions
from consumers.routes import ROUTES
from kafka_shop.local.plan import Web, manage, shop, webs
from kafka_shop.local.processes import Process, Processes
from kafka_shop.local.readiness import consumers_are_ready, web_is_ready
from kafka_shop.messaging.models import OutboxRow
from orders.events import OrderPlaced

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 60.0  # without any progress
REST_SECONDS = 5.0  # from the start until nothing happens
HOLD = "SELECT pg_advisory_lock(hashtext('outbox'), hashtext('order-topic'))"  # as a relay at work does

Show = Callable[[int], object]  # is told how far a measurement has come
Rate = tuple[float, Mapping[str, float]]  # a second; and the cores that each part used meanwhile


def consumer(name: str, topic: str, count: int, show: Show, *, processes: int = 1, warm: int = 1) -> Rate:
    """Lets a consumer, of so many processes, read the `count` messages on a topic: messages a second, after the first `warm` of them."""
    command, environment = manage("run_consumer", name), topics({ROUTES[name].topic: topic})
    with started([Process(name=f"{name}-{each}", command=command, environment=environment) for each in range(processes)]) as check:
        return follow(name, topic, count, check, show, warm=warm)


def pipeline(transport: str, names: Mapping[str, str], orders: Sequence[OrderPlaced], show: Show) -> Rate:
    """Lets orders that wait in the outbox pass through the whole shop: orders a second from the relay's start to the last letter.

    names: the topics in use, by logical name; over HTTP, too, positions are counted by them.
    """
    return flow(whole(transport, names)[1], "notify", names[ROUTES["notify"].topic], orders, show)


def pipeline_by_hand(bootstrap: str, names: Mapping[str, str], orders: Sequence[OrderPlaced], batch_size: int, show: Show) -> Rate:
    """The same through the ceiling's four processes."""
    command = [sys.executable, "-m", "bench.ceiling_process", dsn(), bootstrap, json.dumps(names), str(batch_size)]
    processes = [Process(name=f"ceiling-{name}", command=[*command, name]) for name in (*ROUTES, "relay")]
    return flow(processes, "ceiling", names[ROUTES["notify"].topic], orders, show)


def flow(processes: Sequence[Process], consumer: str, topic: str, orders: Sequence[OrderPlaced], show: Show) -> Rate:
    """Orders a second, from the relay's start until `consumer` has read them all on the last topic.

    The first order goes ahead, so that every process is warm.
    """
    data.place(orders[:1], publish=True)
    with started(processes) as check:
        wait(lambda: position(consumer, topic), 1, check)
        with relay_held():
            data.place(orders[1:], publish=True)
            data.settle_down()
            cores, begun = Cores(), time.perf_counter()
        wait(lambda: position(consumer, topic), len(orders), check, show)
        rate = (len(orders) - 1) / (time.perf_counter() - begun), cores.used()
        wait(lambda: not OutboxRow.objects.exists(), True, check)
    return rate


def idle(names: Mapping[str, str], seconds: int, show: Show) -> Mapping[str, float]:
    """The cores that each part of the whole shop uses while nothing happens for so long."""
    web, processes = whole("kafka", names)
    with started(processes) as check:
        wait(lambda: web_is_ready(web) and consumers_are_ready({}), True, check)
        time.sleep(REST_SECONDS)
        cores = Cores()
        for second in range(seconds):
            check()
            show(second)
            time.sleep(1)
        return cores.used()


def whole(transport: str, names: Mapping[str, str]) -> tuple[Web, list[Process]]:
    """The shop's web, and all its processes: web and relay, over Kafka the consumers too."""
    [web] = webs(0)
    with override_settings(TRANSPORT=transport):
        processes = list(shop([web]))
    added = topics(names) | {"TRANSPORT": transport, "SERVICE_TOKEN": secrets.token_urlsafe()}
    return web, [replace(process, environment=process.environment | added) for process in processes]


def topics(names: Mapping[str, str]) -> dict[str, str]:
    """The settings that name topics."""
    return {name.upper().replace("-", "_"): topic for name, topic in names.items()}


def follow(name: str, topic: str, count: int, check: Callable[[], None], show: Show, *, warm: int) -> Rate:
    """Watches a consumer's position until it has read `count` messages; the clock starts when it has read `warm` of them."""
    wait(lambda: position(name, topic), warm, check, show)
    cores, begun, before = Cores(), time.perf_counter(), position(name, topic)
    wait(lambda: position(name, topic), count, check, show)
    return (count - before) / (time.perf_counter() - begun), cores.used()


@contextmanager
def started(processes: Sequence[Process]) -> Iterator[Callable[[], None]]:
    """Runs processes; yields what raises ProcessEnded when one of them has ended."""
    with Processes(rig.FOLDER / "log") as running:
        for process in processes:
            running.start(process)
        yield running.check


@contextmanager
def relay_held() -> Iterator[None]:
    """Keeps the relay from order-topic."""
    with psycopg.connect(dsn(), autocommit=True) as other:
        other.execute(HOLD)
        yield


def dsn() -> str:
    """Where PostgreSQL is, for connections of one's own."""
    database = connection.settings_dict
    return make_conninfo(host=database["HOST"], dbname=database["NAME"], user=database["USER"] or None)


def position(name: str, topic: str) -> int:
    """How many messages of a topic a consumer has applied."""
    return sum(Positions("default", name, topic).read().values())


def wait(reached: Callable[[], int], goal: int, check: Callable[[], None], show: Show = bool) -> None:
    """Waits until a figure has come to a goal. Raises TimeoutError when it stands still, and what `check` raises."""
    figure, deadline = -1, 0.0
    while (now := reached()) < goal:
        check()
        show(now)
        if now != figure:
            figure, deadline = now, time.monotonic() + PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            raise TimeoutError(f"nothing moved for {PATIENCE_SECONDS:g} s; the logs are in {rig.FOLDER / 'log'}")
        time.sleep(LOOK_SECONDS)
