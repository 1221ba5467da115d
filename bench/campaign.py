"""All measurements, in turns, so that a slow minute of the machine falls on each of them. For a set-up Django."""

import gc
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bench import ceiling, data, floor, latency, load, placing, shop
from bench.cores import Cores
from consumers.routes import ROUTES
from kafka_shop.ids import uuid7
from orders.events import OrderPlaced
from tests.kafka.cluster import KafkaCluster

BALANCE = Decimal("1000000.00")
PARTITIONS = 2
FULL = {"order-topic": "full-orders", "billing-topic": "full-results", "notify-topic": "full-ends"}  # topics with a message an order
FLOOR_RESULTS = "floor-results"
PIPELINES = {"pipeline": "kafka", "pipeline over HTTP": "http"}  # the transport, by measurement
LONE_ORDERS = {"lone orders": "kafka", "lone orders over HTTP": "http"}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    turns: int = 3
    orders: int = 60_000  # through the pipeline, each consumer and the ceiling
    floor_orders: int = 1_000
    placed_orders: int = 4_000  # over HTTP
    customers: int = 1_000
    seconds: int = 20  # of lone orders, and of doing nothing
    batch_size: int = 2_000  # of the shop's consumers and of the ceiling: the ceiling's best (docs/performance.md)


SHORT = Size(turns=1, orders=6_000, floor_orders=200, placed_orders=800, customers=200, seconds=4)


@dataclass
class Figures:
    """What was measured, a figure a turn: messages or orders a second, the cores that each part used, the milliseconds of lone orders."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    cores: dict[str, list[Mapping[str, float]]] = field(default_factory=dict)
    lone: dict[str, list[latency.Latency]] = field(default_factory=dict)
    idle: list[Mapping[str, float]] = field(default_factory=list)  # the cores that each part uses while nothing happens

    def add(self, name: str, rate: float, cores: Mapping[str, float]) -> None:
        self.rates.setdefault(name, []).append(rate)
        self.cores.setdefault(name, []).append(cores)


class Campaign:
    """Measures the shop, the floor and the ceiling on one Kafka and one PostgreSQL."""

    def __init__(self, kafka: KafkaCluster, size: Size) -> None:
        self._kafka, self._size = kafka, size
        os.environ["BATCH_SIZE"] = str(size.batch_size)  # of the processes that are started from now on
        self._customers = load.make_customers(size.customers)
        self._orders = list(load.make_orders(self._customers, size.orders))
        self._figures = Figures()

    def run(self, only: list[str]) -> Figures:
        """Fills the topics, then measures, turn after turn; `only` these, by name, unless it is empty."""
        chosen = [name for name in self.measurements() if not only or name in only]
        columns = TextColumn("{task.description:28}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}")
        with Progress(*columns) as self._progress:
            self._fill()
            gc.freeze()  # what is kept for all turns costs no measurement a garbage collection
            for turn in range(self._size.turns):
                for name in chosen:
                    self._measure(turn, name)
        return self._figures

    def measurements(self) -> Mapping[str, Callable[[str, shop.Show], None]]:
        """What is measured, in the order of a turn."""
        return {
            "floor": self._floor,
            "ceiling": self._ceiling,
            **dict.fromkeys(ROUTES, self._consumer),
            "pipeline ceiling": self._pipeline_ceiling,
            **dict.fromkeys(PIPELINES, self._pipeline),
            **dict.fromkeys(placing.SUBJECTS, self._placing),
            **dict.fromkeys(LONE_ORDERS, self._lone_orders),
            "idle": self._idle,
        }

    def _fill(self) -> None:
        facts = {"order-topic": lambda order: order, "billing-topic": load.paid, "notify-topic": load.settled}
        for name, topic in FULL.items():
            task = self._progress.add_task(f"filling {topic}", total=len(self._orders), rate="")
            self._kafka.create_topic(topic, partitions=PARTITIONS)
            load.produce(self._kafka.bootstrap, topic, map(facts[name], self._progress.track(self._orders, task_id=task)))
        self._kafka.create_topic(FLOOR_RESULTS, partitions=PARTITIONS)

    def _measure(self, turn: int, name: str) -> None:
        totals = {"floor": self._size.floor_orders} | dict.fromkeys(placing.SUBJECTS, self._size.placed_orders)
        totals |= dict.fromkeys(LONE_ORDERS, self._size.seconds * latency.ORDERS_A_SECOND) | {"idle": self._size.seconds}
        task = self._progress.add_task(f"turn {turn + 1}: {name}", total=totals.get(name, self._size.orders), rate="")
        self.measurements()[name](name, lambda count: self._progress.update(task, completed=count))
        rate = f"{self._figures.rates[name][-1]:,.0f}/s" if name in self._figures.rates else ""
        self._progress.update(task, completed=totals.get(name, self._size.orders), rate=rate)

    def _prepare(self) -> None:
        data.prepare(self._customers, balance=BALANCE)
        data.settle_down()

    def _floor(self, name: str, show: shop.Show) -> None:
        count = self._size.floor_orders
        self._prepare()
        cores = Cores()
        group = f"bench.floor.{uuid7()}"
        rate = floor.run(self._kafka.bootstrap, FULL["order-topic"], FLOOR_RESULTS, count=count, group=group, show=show)
        self._figures.add(name, rate, cores.used())
        data.verify(**self._billed(count), outbox=0)

    def _ceiling(self, name: str, show: shop.Show) -> None:
        self._prepare()
        cores = Cores()
        rate = ceiling.run(self._kafka.bootstrap, shop.dsn(), FULL["order-topic"], batch_size=self._size.batch_size)
        self._figures.add(name, rate, cores.used())
        data.verify(**self._billed(len(self._orders)), outbox=len(self._orders))

    def _consumer(self, name: str, show: shop.Show) -> None:
        count = len(self._orders)
        data.prepare(self._customers, balance=BALANCE)
        if name == "orders":
            data.place(self._orders, publish=False)
        data.settle_down()
        self._figures.add(name, *shop.consumer(name, FULL[ROUTES[name].topic], count, show))
        outcomes: Mapping[str, Mapping[str, int | Decimal]] = {
            "billing": self._billed(count) | {"outbox": count},
            "orders": {"paid_orders": count, "outbox": count},
            "notify": {"letters": count, "outbox": 0},
        }
        data.verify(**outcomes[name], dead_letters=0)

    def _pipeline(self, name: str, show: shop.Show) -> None:
        self._prepare()
        self._figures.add(name, *shop.pipeline(PIPELINES[name], self._empty_topics(), list(self._new_orders()), show))
        self._verify_pipeline()

    def _pipeline_ceiling(self, name: str, show: shop.Show) -> None:
        self._prepare()
        names, orders = self._empty_topics(), list(self._new_orders())
        self._figures.add(name, *shop.pipeline_by_hand(self._kafka.bootstrap, names, orders, self._size.batch_size, show))
        self._verify_pipeline()

    def _verify_pipeline(self) -> None:
        count = self._size.orders + 1
        data.verify(**self._billed(count), paid_orders=count, letters=count, outbox=0, dead_letters=0)

    def _placing(self, name: str, show: shop.Show) -> None:
        self._figures.add(name, *placing.measure(placing.SUBJECTS[name], orders=self._size.placed_orders, show=show))

    def _lone_orders(self, name: str, show: shop.Show) -> None:
        found = latency.measure(LONE_ORDERS[name], self._empty_topics(), self._size.seconds, show)
        self._figures.lone.setdefault(name, []).append(found)
        self._figures.cores.setdefault(name, []).append(found.cores)

    def _idle(self, name: str, show: shop.Show) -> None:
        self._prepare()
        self._figures.idle.append(shop.idle(self._empty_topics(), self._size.seconds, show))

    def _empty_topics(self) -> Mapping[str, str]:
        """New topics, by logical name."""
        topics = {logical: f"{logical}-{uuid7()}" for logical in FULL}
        for topic in topics.values():
            self._kafka.create_topic(topic, partitions=PARTITIONS)
        return topics

    def _new_orders(self) -> Iterator[OrderPlaced]:
        """Orders placed now: the sweep leaves them alone. The one that goes ahead is not counted."""
        return load.make_orders(self._customers, self._size.orders + 1)

    def _billed(self, count: int) -> dict[str, int | Decimal]:
        """What is there when `count` orders, of 1.00 each, were paid."""
        money = BALANCE * len(self._customers) - count
        return {"invoices": count, "paid_invoices": count, "charges": count, "money": money, "wrong_accounts": 0}
