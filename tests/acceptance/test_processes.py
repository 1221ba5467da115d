"""Processes that end, in good order or not, lose nothing and double nothing."""

import pytest

from tests.acceptance.shop import Shop, until
from tests.acceptance.worker import stop

pytestmark = pytest.mark.kafka
SMALL = {"BATCH_SIZE": "10"}  # so that a signal falls between many batches, and in the midst of one


def test_sigterm_ends_every_process_with_0_in_time_and_nothing_is_lost(shop: Shop) -> None:
    with shop.customers_ordering():
        workers = shop.start(**SMALL)
        shop.goes_on()

        assert stop(workers.values()) == [0, 0, 0, 0]
        shop.start()
        shop.goes_on()
    shop.settles()


def test_sigterm_ends_every_process_in_time_although_the_broker_does_not_answer(shop: Shop) -> None:
    workers = shop.start().values()
    shop.seed(30)
    shop.settles()
    shop.kafka.freeze()
    try:
        shop.seed(30)
        until(lambda: all(worker.says('"trying again"') for worker in workers), "everybody has noticed")
        ended = stop(workers)
    finally:
        shop.kafka.thaw()

    assert ended == [0, 0, 0, 0]
    shop.start()
    shop.settles()


def test_killed_processes_go_on_where_they_were(shop: Shop) -> None:
    with shop.customers_ordering():
        workers = shop.start(**SMALL).values()
        for _ in range(2):
            shop.goes_on()
            for worker in workers:
                worker.kill()
            workers = shop.start(**SMALL).values()
        shop.goes_on()
    shop.settles()


def test_a_relay_takes_over_from_one_that_was_killed(shop: Shop) -> None:
    with shop.customers_ordering():
        first = shop.start()["relay"]
        shop.goes_on()
        second = shop.relay()
        shop.goes_on()

        first.kill()
        shop.goes_on()
        shop.relay()
        second.kill()
        shop.goes_on()
    shop.settles()
