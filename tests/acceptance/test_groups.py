"""Consumers of one group that share the work, come and go."""

import pytest

from tests.acceptance.shop import Shop, until

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_consumers_share_the_partitions_and_take_over_from_those_that_leave(shop: Shop, protocol: str) -> None:
    shop.protocol = protocol
    with shop.customers_ordering():
        shop.start(BATCH_SIZE="10")
        shop.goes_on()
        leaving = shop.consumer("billing")
        until(lambda: leaving.says('"assigned"'), "the second consumer has a partition")
        shop.goes_on()
        assert leaving.stop() == 0

        dying = shop.consumer("billing", BATCH_SIZE="10")
        until(lambda: dying.says('"assigned"'), "the third consumer has a partition")
        shop.goes_on()
        dying.kill()
        shop.goes_on()
    shop.settles()


def test_a_consumer_that_was_frozen_while_others_took_over_doubles_nothing(shop: Shop) -> None:
    shop.seed(300)
    frozen = shop.start(BATCH_SIZE="1")["billing"]  # one message a transaction: it is frozen in the midst of one
    shop.goes_on()
    frozen.freeze()
    second = shop.consumer("billing")
    until(lambda: second.says('"assigned"'), "another consumer took over")
    shop.goes_on()

    frozen.thaw()
    shop.seed(30)
    shop.settles()
    assert second.stop() == 0
    shop.seed(30)  # for the one that was frozen, a member again
    shop.settles()


def test_of_two_consumers_that_both_believe_to_own_a_partition_one_at_a_time_is_let_through(shop: Shop) -> None:
    with shop.customers_ordering():
        first = shop.start()["billing"]
        shop.goes_on()
        twin = shop.worker("run_consumer", "billing", **shop.group("orders"))  # in another group, which gives it every partition too
        until(lambda: first.says('"fenced"') and twin.says('"fenced"'), "each was fenced off by the other")
        assert (first.running, twin.running) == (True, True)
        assert twin.stop() == 0
        shop.goes_on()
    shop.settles()
