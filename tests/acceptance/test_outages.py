"""Broker and database go away and come back."""

import pytest

from kafka_shop.databases import rows
from tests.acceptance.shop import Shop

pytestmark = pytest.mark.kafka


def test_a_broker_may_stop_and_may_be_killed_under_load(shop: Shop) -> None:
    with shop.customers_ordering():
        workers = shop.start()
        shop.goes_on()
        shop.kafka.restart()
        shop.goes_on()
        shop.kafka.kill()
        shop.kafka.start_node()
        shop.goes_on()
    shop.settles()
    assert all(worker.running for worker in workers.values())


def test_a_database_may_end_every_session_under_load(shop: Shop) -> None:
    with shop.customers_ordering():
        workers = shop.start(BATCH_SIZE="10")
        for _ in range(3):
            shop.goes_on()
            end_all_sessions()
    shop.settles()
    assert all(worker.running for worker in workers.values())


def end_all_sessions() -> None:
    """What a restart of the database does to those who use it; only this session stays."""
    sessions = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    rows("default", f"SELECT pg_terminate_backend(pid) FROM {sessions}")
