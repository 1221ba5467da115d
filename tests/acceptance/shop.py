"""A shop for one test: a database and topics of its own, and real processes on them."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

import billing.services
import orders.services
from consumers.audit import audit
from consumers.positions import Positions
from consumers.routes import ROUTES
from kafka_shop.ids import uuid7
from kafka_shop.local import seeding
from kafka_shop.local.plan import HOST
from kafka_shop.messaging.kafka import BrokerAway, Inspector
from kafka_shop.messaging.models import OutboxRow
from orders.errors import NotCancellable
from orders.models import Order
from tests.acceptance.findings import findings
from tests.acceptance.worker import ROOT, Worker, manage
from tests.kafka import probe
from tests.kafka.cluster import KafkaCluster
from tests.kafka.guardian import Guardian

PARTITIONS = 2
PAUSE_SECONDS = 0.1  # between two rounds of orders
LONGEST_SECONDS = 45.0  # that anything is waited for


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits until a condition holds. Raises TimeoutError."""
    probe.wait_until(condition, LONGEST_SECONDS, what)


class Shop:
    """What a test does with its shop. The test process stands on the shop's database: the services can be called here."""

    protocol = "consumer"  # of the consumer groups

    def __init__(self, kafka: KafkaCluster, database: str, folder: Path, guardian: Guardian) -> None:
        self.kafka, self.workers = kafka, list[Worker]()
        self._folder, self._guardian = folder, guardian
        self._id = database.rpartition("_")[2]
        self.topics = {name: f"{name}-{self._id}" for name in settings.TOPICS}
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"postgres://postgres@/{settings.VAR_DIR / 'postgres'}/{database}",
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "json",
            "PYTHONFAULTHANDLER": "1",
            **{name.upper().replace("-", "_"): topic for name, topic in self.topics.items()},
        }
        for topic in self.topics.values():
            kafka.create_topic(topic, PARTITIONS)
        orders.services.seed_catalogue()

    # its processes

    def start(self, **environment: str) -> dict[str, Worker]:
        """The relay and the three consumers, by name."""
        return {"relay": self.relay(**environment), **{name: self.consumer(name, **environment) for name in ROUTES}}

    def relay(self, **environment: str) -> Worker:
        return self.worker("run_relay", **environment)

    def consumer(self, name: str, *arguments: str, **environment: str) -> Worker:
        return self.worker("run_consumer", name, *arguments, **self.group(name), **environment)

    def web(self, port: int, **environment: str) -> Worker:
        return self.worker("run_web", "--bind", f"{HOST}:{port}", **{"WEB_THREADS": "4"} | environment)

    def worker(self, *arguments: str, **environment: str) -> Worker:
        log = self._folder / f"{len(self.workers)}-{'-'.join(arguments)}.log"
        self.workers.append(Worker(manage(*arguments), {**self.environment, **environment}, log))
        self._guardian.watch(worker.pid for worker in self.workers)
        return self.workers[-1]

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end."""
        known = {**self.environment, **environment}
        return subprocess.run(manage(*arguments), cwd=ROOT, env=known, capture_output=True, text=True, timeout=30, check=False)

    def group(self, name: str) -> dict[str, str]:
        """A consumer group of this shop's own, of which a dead member is missed after 3 s."""
        config: dict[str, object] = {"group.id": f"{ROUTES[name].group}-{self._id}"}
        if self.protocol == "classic":
            config |= {"session.timeout.ms": 3000, "heartbeat.interval.ms": 500}
        return {"KAFKA_CONFIG": json.dumps(config), "KAFKA_GROUP_PROTOCOL": self.protocol}

    # its customers

    def customer(self, money: str) -> UUID:
        """Somebody with an account and so much in it."""
        customer = uuid7()
        account = billing.services.open_account(customer_id=customer, currency=settings.CURRENCY, now=timezone.now())
        if Decimal(money):
            billing.services.deposit(account_id=account.id, amount=Decimal(money), now=timezone.now())
        return customer

    def order(self, customer: UUID, product: str = "TEA-001", quantity: int = 1) -> Order:
        return orders.services.place_order(customer_id=customer, items=[(product, quantity)], now=timezone.now())

    def seed(self, count: int, customers: int = 20) -> None:
        """So many orders of new customers: most are paid, some refused."""
        seeding.seed_customers(customers, clock=timezone.now, advance=lambda _: None)
        seeding.seed_orders(count, clock=timezone.now, advance=lambda _: None)

    @contextmanager
    def customers_ordering(self) -> Iterator[None]:
        """Orders keep coming while the block runs, and some are cancelled."""
        self.seed(1, customers=200)  # so many that every partition is somebody's
        over = threading.Event()
        customers = threading.Thread(target=self._order_until, args=(over,))
        customers.start()
        try:
            yield
        finally:
            over.set()
            customers.join()

    def _order_until(self, over: threading.Event) -> None:
        """Who meets a broken connection tries again."""
        while not over.wait(PAUSE_SECONDS):
            try:
                seeding.seed_orders(5, clock=timezone.now, advance=lambda _: None)
                self._cancel_one()
            except OperationalError:
                connection.close()
        connection.close()

    def _cancel_one(self) -> None:
        order = Order.objects.exclude(status="cancelled").order_by("-id")[10:11].first()
        if order is None:
            return
        try:
            orders.services.cancel_order(order_id=order.id, now=timezone.now())
        except NotCancellable:
            return  # it was rejected

    # its state

    def settled(self) -> int:
        """How many orders have come to an end by billing's answer."""
        return Order.objects.exclude(status="pending").exclude(status="cancelled").count()

    def goes_on(self, by: int = 30) -> None:
        """Waits until so many more orders are settled."""
        goal = self.settled() + by
        until(lambda: self.settled() >= goal, f"{by} more orders are settled")

    def published(self) -> None:
        """Waits until every fact has left."""
        until(lambda: not OutboxRow.objects.exists(), "every fact has left")

    def settles(self, dead_letters: int = 0) -> None:
        """Waits until all is read and as it must be, with so many open dead letters."""
        try:
            until(lambda: not any(self.wrong(dead_letters)), "the shop is at rest")
        except TimeoutError as error:
            raise AssertionError("\n".join([str(error), *self.wrong(dead_letters)])) from None
        report = audit(timezone.now())
        assert (report.findings, report.in_flight) == ([], [])

    def wrong(self, dead_letters: int) -> Iterator[str]:
        """What is not as it must be when all is at rest."""
        yield from findings(dead_letters)
        yield from (f"{name} has not read all of its log" for name in ROUTES if self.behind(name))

    def behind(self, name: str) -> bool:
        """Whether a consumer has still to apply something; also when the broker does not say."""
        destination = ROUTES[name].topic
        positions = Positions("default", name, self.topics[destination]).read()
        try:
            return sum(positions.values()) < self.end(destination)
        except BrokerAway:
            return True

    def end(self, destination: str) -> int:
        """How many messages were ever published there. Raises BrokerAway."""
        topic, inspector = self.topics[destination], Inspector()
        try:
            return sum(inspector.watermarks(topic, partition).high for partition in inspector.partitions(topic))
        finally:
            inspector.close()
