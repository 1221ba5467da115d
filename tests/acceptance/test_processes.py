"""Processes that end, in good order or not, lose nothing and double nothing."""

import pytest

from tests.acceptance.shop import Shop

pytestmark = pytest.mark.kafka
SMALL = {"BATCH_SIZE": "10"}  # so that a signal falls between many batches, and in the midst of one


def test_sigterm_ends_every_process_with_0_in_time_and_nothing_is_lost(shop: Shop) -> None:
    with shop.customers_ordering():
        workers = shop.start(**SMALL)
        shop.goes_on()

        assert {name: worker.stop() for name, worker in workers.items()} == dict.fromkeys(workers, 0)
        shop.start()
        shop.goes_on()
    shop.settles()


def test_killed_processes_go_on_where_they_were(shop: Shop) -> None:
    with shop.customers_ordering():
        for _ in range(2):
            workers = shop.start(**SMALL)
            shop.goes_on()
            for worker in workers.values():
                worker.kill()
        shop.start()
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
