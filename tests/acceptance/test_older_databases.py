"""The database is older than it was: restored from a backup, or a standby that had not yet heard of everything."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from billing.models import Invoice
from consumers.audit import audit
from consumers.models import DeadLetter
from consumers.routes import ROUTES
from kafka_shop.local import postgres, wheel
from orders.models import Order
from tests.acceptance.conftest import execute
from tests.acceptance.shop import Shop, until
from tests.acceptance.worker import stop

pytestmark = pytest.mark.kafka
START_SECONDS = 30


def test_a_restored_database_is_told_again_what_the_logs_know_and_the_audit_names_what_was_asked_of_it_since(shop: Shop) -> None:
    shop.seed(30)
    relay = shop.relay()
    shop.published()
    assert relay.stop() == 0
    restore = back_up(shop)
    workers = shop.start()
    shop.settles()
    asked = {str(shop.order(shop.customer("100.00")).id) for _ in range(10)}
    shop.settles()
    assert stop(workers.values()) == [0] * 4
    settled = ends()

    restore()
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    shop.start()
    until(lambda: not Order.objects.filter(status="pending").exists(), "what was ordered before the backup is settled")
    until(lambda: not any(shop.behind(name) for name in ROUTES), "all is read")
    until(lambda: DeadLetter.objects.count() == len(asked), "orders was told of what it does not know")

    assert ends() == {id: end for id, end in settled.items() if id not in asked}
    assert {each.subject for each in audit(timezone.now()).in_flight} == asked, "their dead letters explain them"
    assert shop.run("dead_letters", "discard", "--all", "--reason", "older than the backup").returncode == 0
    report = audit(timezone.now())
    assert {each.subject for each in report.findings} == asked and not report.in_flight
    assert asked == {each.subject for each in report.findings if each.check == "I1"}


def test_processes_that_run_read_on_where_a_promoted_standby_stands_although_nothing_new_comes(shop: Shop, standby: "Standby") -> None:
    shop.environment["DATABASE_URL"] = standby.url
    shop.seed(30)
    workers = {"relay": shop.relay()}
    shop.published()
    standby.lag()
    workers |= {name: shop.consumer(name) for name in ROUTES}
    shop.settles()
    settled = ends()
    assert set(settled.values()) <= {"paid", "rejected"}

    standby.take_over()
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    shop.settles()
    assert ends() == settled
    assert all(worker.running for worker in workers.values())
    assert any(workers[name].says('"fenced"') for name in ROUTES)


def ends() -> dict[str, str]:
    """The state of every order, and what billing made of it."""
    billed = {invoice.order_id: invoice.status for invoice in Invoice.objects.all()}
    return {str(order.id): order.status for order in Order.objects.all() if order.status == "pending" or order.id in billed}


def back_up(shop: Shop) -> Callable[[], None]:
    """Copies the shop's database as it is now; the answer puts the copy in its place. Nobody may be connected, in both."""
    name, copy = str(connection.settings_dict["NAME"]), f"{connection.settings_dict['NAME']}_backup"
    connection.close()
    execute(f"DROP DATABASE IF EXISTS {copy}")
    execute(f"CREATE DATABASE {copy} TEMPLATE {name}")

    def restore() -> None:
        connection.close()
        execute(f"DROP DATABASE {name}")
        execute(f"ALTER DATABASE {copy} RENAME TO {name}")

    return restore


class Standby:
    """A streaming standby of the tests' server, and a name that stands for whichever of the two is the primary."""

    def __init__(self, folder: Path, primary: Path, link: Path) -> None:
        self._folder, self._primary, self._link = folder, primary, link
        self._database = str(connection.settings_dict["NAME"])
        link.unlink(missing_ok=True)
        link.symlink_to(primary)
        self.url = f"postgres://postgres@/{link}/{self._database}"

    def start(self) -> None:
        handle = wheel.handle(self._folder)
        if handle.system_user:
            shutil.chown(self._folder, handle.system_user)
        self._folder.chmod(0o700)
        copy = ["pg_basebackup", "-h", str(self._primary), "-U", "postgres", "-D", str(self._folder), "-R", "-X", "stream", "-c", "fast"]
        subprocess.run([str(handle.bin_path / copy[0]), *copy[1:]], user=handle.system_user, cwd="/", check=True, capture_output=True)
        (self._folder / f"{postgres.SOCKET}.lock").unlink()  # the primary's: its socket lies among its data
        problem = wheel.start(self._folder, START_SECONDS)
        assert not problem, problem

    def lag(self) -> None:
        """It has heard of everything so far, and of nothing that comes."""
        with self._session(self._primary) as primary:
            [now] = primary.execute("SELECT pg_current_wal_lsn()").fetchone() or [None]
        with self._session(self._folder) as standby:
            until(lambda: bool(self._one(standby, f"SELECT pg_last_wal_replay_lsn() >= '{now}'")), "the standby has heard of everything")
            standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
            standby.execute("SELECT pg_reload_conf()")
            until(lambda: not self._one(standby, "SELECT count(*) FROM pg_stat_wal_receiver"), "the standby hears nothing")

    def take_over(self) -> None:
        """The primary is gone, at once, and the standby is what is there."""
        with self._session(self._folder) as standby:
            standby.execute("SELECT pg_promote()")
        connection.close()
        self._link.unlink()
        self._link.symlink_to(self._folder)
        execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._database}'")

    def stop(self) -> None:
        wheel.stop(self._folder, START_SECONDS)
        shutil.rmtree(self._folder)
        self._link.unlink()

    def _session(self, server: Path) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(host=str(server), user="postgres", dbname="postgres", autocommit=True)

    def _one(self, session: "psycopg.Connection[tuple[object, ...]]", question: str) -> object:
        return (session.execute(question).fetchone() or [None])[0]


@pytest.fixture
def standby(shop: Shop) -> Iterator[Standby]:
    """A standby of the shop's database; this process and those of the shop reach whichever is the primary by the same name."""
    folder, primary = settings.VAR_DIR / "standby", settings.VAR_DIR / "postgres"
    shutil.rmtree(folder, ignore_errors=True)
    standby = Standby(folder, primary, settings.VAR_DIR / "primary")
    standby.start()
    connection.close()
    before, connection.settings_dict["HOST"] = connection.settings_dict["HOST"], str(settings.VAR_DIR / "primary")
    try:
        yield standby
    finally:
        for worker in shop.workers:
            worker.kill()
        connection.close()
        connection.settings_dict["HOST"] = before
        standby.stop()
