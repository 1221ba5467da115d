"""What the Compose files start, started as plain processes on a real Kafka and PostgreSQL: no container engine is needed to see it work."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from kafka_shop.local import postgres
from tests.acceptance.conftest import execute
from tests.acceptance.worker import stop
from tests.deployment.compose import ROOT
from tests.deployment.plain import LONGEST_SECONDS, Plain
from tests.kafka.fixtures import require_kafka
from tests.kafka.probe import wait_until
from tests.test_postman import newman as newman
from tests.test_postman import run as run_newman

CUSTOMER = ROOT / "charts" / "kafka-app" / "files" / "customer.py"
Start = Callable[..., Plain]


@pytest.fixture
def start(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Start]:
    """Makes a file's databases and its shop; all of it is gone afterwards."""
    postgres.join(settings.VAR_DIR / "postgres")
    made: dict[str, str] = {}
    shops: list[Plain] = []

    def begin(file: str, *databases: str) -> Plain:
        for name in databases:
            made[name] = f"compose_{name}"
            execute(f"DROP DATABASE IF EXISTS {made[name]} WITH (FORCE)")
            execute(f"CREATE DATABASE {made[name]}")
        shops.append(Plain(file, tmp_path, made))
        return shops[-1]

    yield begin
    for shop in shops:
        for worker in shop.workers.values():
            worker.kill()
    for name in made.values():
        execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def bring_up(shop: Plain, *names: str) -> None:
    """Starts services, and waits until each says that it is well."""
    for name in names:
        shop.start(name)
    try:
        for name in names:
            shop.becomes_healthy(name)
    except TimeoutError as error:
        raise AssertionError(f"{error}\n" + "\n".join(line for name in names for line in shop.workers[name].last_words())) from None


def succeed(shop: Plain, one_shot: str) -> None:
    result = shop.run(one_shot)
    assert result.returncode == 0, result.stdout + result.stderr


def order(shop: Plain) -> str:
    """A customer orders and waits for the letter, as `helm test` does; what the customer saw."""
    web = {name: shop.addresses.get(name, shop.addresses.get("web", "")) for name in ("orders", "billing", "notify")}
    environment = {f"{name.upper()}_URL": f"http://{address}" for name, address in web.items()}
    result = subprocess.run([sys.executable, str(CUSTOMER)], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.kafka
def test_the_shop_of_docker_compose_serves_its_customers(start: Start, newman: Path) -> None:
    require_kafka()
    shop = start("docker-compose.yml", "shop")
    broker = shop.start("kafka")
    succeed(shop, "migrate")
    wait_until(lambda: shop.run("topics").returncode == 0, LONGEST_SECONDS, "the broker answers")
    bring_up(shop, "web", "relay", "billing", "orders", "notify")

    run_newman(newman, f"http://{shop.addresses['web']}")
    assert "paid" in order(shop)

    assert stop(worker for worker in shop.workers.values() if worker is not broker) == [0, 0, 0, 0, 0]


def test_the_shop_without_a_broker_serves_its_customers_from_three_addresses(start: Start) -> None:
    shop = start("compose.http.yml", "users", "orders", "billing", "notify")
    succeed(shop, "migrate")
    bring_up(shop, "orders", "billing", "notify", "orders-relay", "billing-relay", "notify-relay")

    assert "paid" in order(shop)

    assert stop(shop.workers.values()) == [0] * 6
