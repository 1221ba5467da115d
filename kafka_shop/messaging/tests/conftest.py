"""Fixtures of the event floor's tests."""

import pytest

from kafka_shop.messaging.relay import Courier
from kafka_shop.messaging.tests.carrying import Carrier
from tests.embedded import embedded_broker as embedded_broker
from tests.embedded import embedded_cluster as embedded_cluster


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def courier(carrier: Carrier) -> Courier:
    return Courier("default", "order-topic", carrier)
