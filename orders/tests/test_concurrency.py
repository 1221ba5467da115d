"""Handlers, cancellations and sweeps of several processes on the same orders."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TypeVar

import pytest
from django.db import connections, transaction

from kafka_shop.databases import alias_of, rows
from orders import services
from orders.handlers import invoice_settled
from orders.models import Order
from orders.tests.helpers import MINUTE, NOW, many, outbox_ids, place, settled

pytestmark = pytest.mark.usefixtures("committed")
DEADLINE_SECONDS = 10
T = TypeVar("T")


@pytest.fixture(autouse=True)
def catalogue(committed: None) -> None:
    services.seed_catalogue()


@pytest.fixture
def others() -> "Iterator[Others]":
    with ThreadPoolExecutor(4) as pool:
        yield Others(pool)


class Others:
    """Threads that do a thing each, on a connection of its own."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool

    def start(self, work: Callable[[], T]) -> Future[T]:
        return self.pool.submit(self.run, work)

    def run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            connections.close_all()


@contextmanager
def settling(order: Order) -> Iterator[None]:
    """A consumer's transaction that has settled the order and is not committed yet."""
    with transaction.atomic(using=alias_of("orders")):
        invoice_settled.handle([settled(order)])
        yield


def wait_for_a_waiting_lock() -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not rows("default", "SELECT 1 FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < deadline, "nobody waits for a lock"


def test_a_cancellation_waits_for_the_result_that_is_being_applied(others: Others) -> None:
    order = place()
    with settling(order):
        cancelled = others.start(lambda: services.cancel_order(order_id=order.id, now=NOW + 2 * MINUTE))
        wait_for_a_waiting_lock()
    assert cancelled.result(DEADLINE_SECONDS).status == "cancelled"
    stored = Order.objects.get()
    assert (stored.paid_at, stored.late_paid_at, stored.cancelled_at) == (NOW + MINUTE, None, NOW + 2 * MINUTE)


def test_the_sweep_does_not_wait_for_an_order_in_hand(others: Others) -> None:
    busy, idle = place(), place()
    with settling(busy):
        swept = others.start(lambda: services.republish_pending(now=NOW + timedelta(days=1), after_seconds=60, limit=10))
        assert swept.result(DEADLINE_SECONDS) == 1
    assert Order.objects.get(id=idle.id).sweeps == 1
    assert Order.objects.get(id=busy.id).sweeps == 0
    assert f"order.placed:{idle.id}" in outbox_ids()


def test_batches_in_opposite_order_do_not_lock_each_other_out(others: Others) -> None:
    orders = many(200)

    def apply(batch: list[Order]) -> int:
        with transaction.atomic(using=alias_of("orders")):
            return len(invoice_settled.handle([settled(order) for order in batch]))

    batches = [orders, orders[::-1]] * 4
    assert [each.result(DEADLINE_SECONDS) for each in [others.start(partial(apply, batch)) for batch in batches]] == [200] * 8
    assert Order.objects.filter(status="paid").count() == 200
