"""docs/switching.md with real processes, while customers go on ordering."""

import pytest

from consumers.routes import ROUTES
from kafka_shop.local.plan import HOST
from tests.acceptance.shop import Shop, until
from tests.acceptance.worker import stop
from tests.kafka.ports import free_ports

pytestmark = pytest.mark.kafka

KAFKA = {"TRANSPORT": "kafka"}


@pytest.fixture
def port() -> int:
    [port] = free_ports(1)
    return port


def http(port: int) -> dict[str, str]:
    """The settings of every process of a shop over HTTP."""
    urls = {f"{name.upper()}_URL": f"http://{HOST}:{port}" for name in ROUTES}
    return {"TRANSPORT": "http", "SERVICE_TOKEN": "between-services", **urls}


def drain(shop: Shop, name: str) -> None:
    drained = shop.run("run_consumer", name, "--until-idle", **KAFKA, **shop.group(name))
    assert drained.returncode == 0, drained.stderr


def ends(shop: Shop) -> list[int]:
    """How many messages were ever published on each topic."""
    return [shop.end(destination) for destination in shop.topics]


def test_a_shop_is_switched_to_http_and_back_and_loses_nothing(shop: Shop, port: int) -> None:
    with shop.customers_ordering():
        running = shop.start()
        shop.goes_on()

        assert running.pop("relay").stop() == 0
        assert stop(running.values()) == [0, 0, 0]
        for name in ROUTES:
            drain(shop, name)
        before = ends(shop)
        web, relay = shop.web(port, **http(port)), shop.relay(**http(port))
        shop.goes_on()
        assert ends(shop) == before, "nothing went over Kafka"

        assert stop([relay, web]) == [0, 0]
        shop.start()
        shop.goes_on()
        assert all(now > then for now, then in zip(ends(shop), before, strict=True))
    shop.settles()


def test_a_log_that_nobody_drained_is_read_when_its_consumer_runs_again(shop: Shop, port: int) -> None:
    relay = shop.relay()
    shop.seed(30)
    shop.published()
    assert relay.stop() == 0

    shop.web(port, **http(port))
    shop.relay(**http(port))
    shop.seed(30)
    until(lambda: shop.settled() == 30, "what came later has passed")
    drain(shop, "billing")

    shop.settles()
    assert shop.settled() == 60
