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
    with shop.customers_ordering():
        frozen = shop.start(BATCH_SIZE="10")["billing"]
        shop.goes_on()
        frozen.freeze()
        second = shop.consumer("billing")
        until(lambda: second.says('"assigned"'), "another consumer took over")
        shop.goes_on()

        frozen.thaw()
        shop.goes_on()
        assert second.stop() == 0
        shop.goes_on()  # the one that was frozen is a member again
    shop.settles()
