"""Probes of real processes: who waits is alive, who hangs or is gone is not."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from consumers.routes import ROUTES
from tests.acceptance.conftest import execute
from tests.acceptance.shop import Shop, until

pytestmark = pytest.mark.kafka
PROBES = {"relay": ["run_relay"], **{name: ["run_consumer", name] for name in ROUTES}}
LONG_AGO = 90.0  # seconds: longer than any turn of a loop


def test_a_probe_tells_who_is_well_who_waits_who_hangs_and_who_is_gone(shop: Shop, tmp_path: Path) -> None:
    shop.environment["HEARTBEAT_DIR"] = str(tmp_path / "heartbeats")
    workers = shop.start()
    shop.seed(30)
    shop.settles()
    assert {name: probe(shop, name) for name in PROBES} == {
        "relay": (0, "ok, billing-topic ok, notify-topic ok, order-topic ok"),
        **dict.fromkeys(ROUTES, (0, "ok, 0 ok, 1 ok")),
    }

    with database_away(shop):
        until(lambda: all(worker.says('"trying again"') for worker in workers.values()), "everybody has noticed")
        assert {name: probe(shop, name)[0] for name in PROBES} == dict.fromkeys(PROBES, 0)

    shop.seed(10)
    shop.settles()
    workers["billing"].freeze()
    file = tmp_path / "heartbeats" / "billing.1"
    os.utime(file, (time.time(), time.time() - LONG_AGO))
    assert probe(shop, "billing")[0] == 1
    workers["billing"].thaw()
    until(lambda: probe(shop, "billing")[0] == 0, "it beats again")

    workers["billing"].kill()
    assert probe(shop, "billing")[0] == 1
    assert probe(shop, "orders")[0] == 0


def probe(shop: Shop, name: str) -> tuple[int, str]:
    """The exit code, and the states without the age."""
    ended = shop.run(*PROBES[name], "--check-health")
    [line] = ended.stdout.splitlines()
    state, _, parts = line.removeprefix(f"{name}: ").partition(", last beat")
    return ended.returncode, f"{state}, {parts.partition('(')[2].rstrip(')')}"


@contextmanager
def database_away(shop: Shop) -> Iterator[None]:
    """Nobody comes in, and who was in is thrown out."""
    name = shop.environment["DATABASE_URL"].rpartition("/")[2]
    execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        connection.close()  # the test's own was thrown out, too
        execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
