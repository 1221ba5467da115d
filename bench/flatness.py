"""What is measured of a shop with millions of orders, beside one with none. For a set-up Django."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import psutil
from django.db import connection
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bench import backlog, data, load, pages, past, placing, rig, shop
from kafka_shop.databases import rows, run
from kafka_shop.ids import uuid7
from kafka_shop.local.migrations import migrate_all
from kafka_shop.local.plan import manage
from orders.events import OrderPlaced
from orders.services import seed_catalogue
from tests.kafka.cluster import KafkaCluster

FEW = 10_000  # orders: enough to fill a page
ACTIVE = 1_000  # customers that order while it is measured
ORDERED, PLACED = 60_000, 3_200  # by events, over HTTP
WARM = 20_000  # of the former, which each active customer's pages are touched by for the first time since a checkpoint (full_page_writes)
BACKLOG, THOUSANDS = 1_000_000, 50_000
LAGS = {"a lag of 100,000": 100_000, "a lag of a million": 1_000_000}
READ = 20_000  # messages while memory is watched
LOOK_SECONDS = 0.05
AMOUNT = "0.01"  # of each order: nobody's money comes to an end
PASSING = "TRUNCATE messaging_outboxrow, messaging_publishedlog, consumers_position, consumers_deadletter"
OF_ACTIVE = """
SELECT id FROM bench_customer WHERE number %% (SELECT greatest(1, count(*) / %s) FROM bench_customer) = 0 ORDER BY number LIMIT %s
"""
PAID = "SELECT count(*) FROM billing_invoice WHERE order_id = ANY(%s) AND status = 'paid'"

Show = Callable[[int], object]


@contextmanager
def on(database: str) -> Iterator[None]:
    """Lets this process, and those that it starts, work on a database, whose tables are made when they are missing."""
    connection.close()
    os.environ["DATABASE_URL"] = f"postgres:///{rig.FOLDER / 'postgres'}/{database}"
    connection.settings_dict["NAME"] = database
    migrate_all()
    yield
    connection.close()


class Flatness:
    """Measures in three databases: one whose tables are emptied each time, one with a few orders, and the full one."""

    def __init__(self, kafka: KafkaCluster, orders: int, turns: int) -> None:
        self._kafka, self._orders, self._turns = kafka, orders, turns
        columns = TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[took]}")
        self._progress = Progress(*columns)

    def run(self, parts: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Fills the databases, then measures parts; what was found, by part."""
        measured = {"speed": self._speed, "pages": self._pages, "relay": self._relay, "memory": self._memory}
        with self._progress:
            for database, orders in (("few", FEW), ("full", self._orders)):
                with on(database), self._bar(f"filling: {database}", orders) as show:
                    past.fill(orders, show)
            return {part: measured[part]() for part in parts}

    def _speed(self) -> dict[str, Any]:
        """Events or orders a second, and the microseconds of CPU for each, in the empty and the full database by turns."""
        found: dict[str, Any] = {}
        for turn in range(self._turns):
            for name, measure in (("billing", self._billing), ("pipeline", self._pipeline), ("placing", self._placing)):
                for database in ("empty", "full"):
                    with on("full"):
                        active = [id for (id,) in rows("default", OF_ACTIVE, ACTIVE, ACTIVE)]
                    with on(database), self._bar(f"turn {turn + 1}: {name}, {database}", ORDERED) as show:
                        prepare(active, empty=database == "empty")
                        rate, cores = measure(active, show)
                    figures = found.setdefault(name, {}).setdefault(database, {"per_second": [], "cpu_us": []})
                    figures["per_second"].append(round(rate))
                    figures["cpu_us"].append(
                        {part: round(used / rate * 1e6) for part, used in cores.items() if part not in {"bench", "kafka"}}
                    )
        return found

    def _billing(self, customers: Sequence[UUID], show: Show) -> shop.Rate:
        orders, topic = list(load.make_orders(customers, ORDERED, amount=AMOUNT)), self._topic()
        load.produce(self._kafka.bootstrap, topic, orders)
        rate = shop.consumer("billing", topic, ORDERED, show, warm=WARM)
        verify(orders)
        return rate

    def _pipeline(self, customers: Sequence[UUID], show: Show) -> shop.Rate:
        orders = list(load.make_orders(customers, ORDERED + 1, amount=AMOUNT))
        rate = shop.pipeline("kafka", {name: self._topic() for name in ("order-topic", "billing-topic", "notify-topic")}, orders, show)
        verify(orders)
        return rate

    def _placing(self, customers: Sequence[UUID], show: Show) -> shop.Rate:
        seed_catalogue()
        token = pages.bearer(pages.person(f"bench-{customers[0]}", id=customers[0]))["Authorization"].split()[1]
        return placing.through(token, "TEA-001", orders=PLACED, show=show)

    def _pages(self) -> dict[str, Any]:
        """Milliseconds of each page, with few orders and with all."""
        asked, environments = {}, {}
        for database in ("few", "full"):
            with on(database):
                [(customer,)] = rows("default", "SELECT id FROM bench_customer WHERE number = 7")
                asked[database], environments[database] = list(pages.pages(customer)), {"DATABASE_URL": os.environ["DATABASE_URL"]}
        with self._bar("pages", len(asked["full"])) as show:
            return dict(pages.measure(asked, environments, show))

    def _relay(self) -> dict[str, dict[str, int]]:
        """Facts a second, and microseconds of CPU for each: while few wait, while a million do, and so beside an old transaction."""
        with on("empty"):
            customers = load.make_customers(1)
            prepare(customers, empty=True)
            [order], courier = load.make_orders(customers, 1), backlog.courier(self._topic())
            backlog.thousands(courier, order, THOUSANDS // 10, bool)

            def few(name: str) -> dict[str, int]:
                with self._bar(name, THOUSANDS) as show:
                    return a_fact(backlog.thousands(courier, order, THOUSANDS, show), THOUSANDS)

            def many(name: str) -> dict[str, int]:
                with self._bar(name, BACKLOG) as show:
                    return a_fact(backlog.backlog(courier, order, BACKLOG, show), BACKLOG)

            found = {"a thousand wait": few("a thousand")}
            found["a million wait"] = many("a million")
            found["a thousand wait again"] = few("a thousand again")
            with backlog.old_snapshot():
                found["a million wait beside an old transaction"] = many("a million, old transaction")
                found["a thousand wait beside an old transaction"] = few("a thousand, old transaction")
        return found

    def _memory(self) -> dict[str, int]:
        """The most megabytes that billing's consumer has resident, by its lag."""
        found = {}
        for name, messages in LAGS.items():
            with on("empty"), self._bar(name, messages) as show:
                customers, topic = load.make_customers(ACTIVE), self._topic()
                prepare(customers, empty=True)
                load.produce(self._kafka.bootstrap, topic, load.make_orders(customers, messages, amount=AMOUNT))
                show(messages)
                found[name] = round(peak(topic))
        return found

    def _topic(self) -> str:
        """A new topic."""
        topic = f"flat-{uuid7()}"
        self._kafka.create_topic(topic, partitions=2)
        return topic

    @contextmanager
    def _bar(self, name: str, total: int) -> Iterator[Show]:
        task, began = self._progress.add_task(name, total=total or None, took=""), time.monotonic()
        yield lambda count: self._progress.update(task, completed=count)
        self._progress.update(task, completed=total or 1, total=total or 1, took=f"{time.monotonic() - began:.0f} s")


def prepare(customers: Sequence[UUID], *, empty: bool) -> None:
    """Leaves nothing under way. empty: leaves nothing at all but the customers' accounts."""
    if empty:
        data.prepare(customers, balance=Decimal("1000000.00"))
    run("default", PASSING)
    data.settle_down()


def verify(orders: Sequence[OrderPlaced]) -> None:
    """Raises AssertionError unless all orders were paid."""
    [(paid,)] = rows("default", PAID, [order.order_id for order in orders])
    assert paid == len(orders), f"{paid} of {len(orders)} orders were paid"


def a_fact(spent: backlog.Spent, facts: int) -> dict[str, int]:
    return {"per_second": round(facts / spent.seconds), "cpu_us": round(spent.cpu / facts * 1e6)}


def peak(topic: str) -> float:
    """The most megabytes that billing's consumer has resident while it reads READ messages of a topic."""
    command, most = manage("run_consumer", "billing", "--max-messages", str(READ)), 0
    with subprocess.Popen(command, cwd=rig.FOLDER.parents[1], env=os.environ | {"ORDER_TOPIC": topic}) as process:
        while process.poll() is None:
            most = max(most, psutil.Process(process.pid).memory_info().rss)
            time.sleep(LOOK_SECONDS)
    assert process.returncode == 0
    return most / 2**20
