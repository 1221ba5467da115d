"""Services apart by settings alone: each on a database of its own, and back together."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from django.apps import apps

from kafka_shop.ids import uuid7
from kafka_shop.local.plan import HOST, Web, manage
from kafka_shop.local.readiness import web_is_ready
from kafka_shop.messaging.envelope import seal, to_json
from kafka_shop.messaging.http import BATCH_TYPE
from orders.events import OrderPlaced
from tests import demo
from tests.kafka.ports import free_ports
from tests.kafka.probe import wait_until

USERS, OWN = "postgres://embedded/users", "postgres://embedded/own"
TOKEN = "between-services"  # not a secret of anybody
ALONE = {"SERVICES": "billing", "BILLING_DATABASE_URL": OWN, "ORDERS_DATABASE_URL": "postgres://nobody@127.0.0.1:9/nowhere"}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with demo.var_folder() as folder:
        yield folder


def run(folder: Path, *arguments: str, **environment: str) -> str:
    result = demo.command(folder, *arguments, DATABASE_URL=USERS, **environment)
    assert result.returncode == 0, result.stdout
    return result.stdout


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[Web]:
    """The web by itself."""
    [port] = free_ports(1)
    web = Web(port)
    settings = {**os.environ, "VAR_DIR": str(folder), "DATABASE_URL": USERS, **environment}
    with subprocess.Popen(manage("run_web", "--bind", f"{HOST}:{port}"), cwd=demo.ROOT, env=settings) as process:
        try:
            wait_until(lambda: web_is_ready(web), demo.START_SECONDS, "the web is ready")
            yield web
        finally:
            process.terminate()


def test_a_service_apart_looks_after_its_own_database(folder: Path) -> None:
    migrated = run(folder, "migrate_all", **ALONE)

    assert "Database billing (billing)" in migrated
    assert "Database orders" not in migrated
    assert "ok       database billing" in run(folder, "doctor", **ALONE)
    assert "3 customers made" in run(folder, "seed", "--customers", "3", "--orders", "3", **ALONE)
    assert "clean" in run(folder, "audit", **ALONE)


def test_a_service_apart_serves_and_takes_events_while_the_others_are_away(folder: Path) -> None:
    run(folder, "migrate_all", **ALONE)
    nowhere = dict.fromkeys(("ORDERS_URL", "BILLING_URL", "NOTIFY_URL"), "http://127.0.0.1:9")
    order = OrderPlaced(
        order_id=uuid7(), customer_id=uuid7(), amount=Decimal("7.50"), currency="EUR", items=(), placed_at=datetime(2026, 1, 31, tzinfo=UTC)
    )

    with serving(folder, **ALONE, **nowhere, TRANSPORT="http", SERVICE_TOKEN=TOKEN) as web:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": BATCH_TYPE}
        taken = httpx.post(f"{web.address}/api/v1/billing/events/", content=b"[" + to_json(seal(order)) + b"]", headers=headers)
        pages = ("billing/invoices", "orders", "notify/notifications")
        status = {page: httpx.get(f"{web.address}/api/v1/{page}/").status_code for page in pages}

    assert taken.status_code == 204, taken.text
    assert status == {"billing/invoices": 401, "orders": 404, "notify/notifications": 404}
    assert "clean" in run(folder, "audit", **ALONE)


def test_services_that_were_apart_find_their_tables_when_they_come_together(folder: Path) -> None:
    run(folder, "migrate_all", NOTIFY_DATABASE_URL=OWN)

    run(folder, "migrate_all")

    assert "ok       database default" in run(folder, "doctor")
    assert "clean" in run(folder, "audit")


@pytest.mark.parametrize("app", ["orders", "billing", "notify", "consumers", "messaging"])
def test_no_model_refers_to_one_of_another_app(app: str) -> None:
    relations = [field for model in apps.get_app_config(app).get_models() for field in model._meta.get_fields() if field.is_relation]

    assert [field for field in relations if not field.related_model or field.related_model._meta.app_label != app] == []
