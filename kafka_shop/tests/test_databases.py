"""Where tables live, and how SQL is run on them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.db import OperationalError, ProgrammingError, connection
from pytest_django import Settings

from billing.models import Account
from kafka_shop.databases import ServiceRouter, alias_of, columns, limited_transaction, planned_once, rows, run, served_aliases
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from tests.sessions import in_own_session, second_session

SPLIT = {"orders": "orders", "billing": "billing", "notify": "orders"}
COPIED_APPS = ["messaging", "consumers", "api"]


@pytest.fixture
def split(settings: Settings) -> ServiceRouter:
    """Orders and notify share a database of their own, billing has another, users are in the default one."""
    settings.SERVICE_DATABASES = SPLIT
    return ServiceRouter()


class TestRouter:
    def test_a_services_models_live_in_its_database_and_all_others_where_django_puts_them(self, split: ServiceRouter) -> None:
        assert split.db_for_read(Account) == split.db_for_write(Account) == "billing"
        assert split.db_for_read(User) is None
        assert split.db_for_read(OutboxRow) is None, "the code names the alias of an outbox itself"

    def test_a_services_tables_are_made_in_its_database_only(self, split: ServiceRouter) -> None:
        for service, alias in SPLIT.items():
            assert [db for db in ("default", "orders", "billing") if split.allow_migrate(db, service)] == [alias]

    @pytest.mark.parametrize("app", COPIED_APPS)
    def test_outbox_and_positions_are_made_in_every_services_database_and_nowhere_else(self, split: ServiceRouter, app: str) -> None:
        assert [db for db in ("default", "orders", "billing") if split.allow_migrate(db, app)] == ["orders", "billing"]

    def test_everything_else_is_made_in_the_default_database(self, split: ServiceRouter) -> None:
        others = {config.label for config in apps.get_app_configs()} - {*SPLIT, *COPIED_APPS}

        assert all(split.allow_migrate("default", app) for app in others)
        assert not any(split.allow_migrate(db, app) for app in others for db in ("orders", "billing"))


def test_a_process_works_on_the_databases_of_the_services_that_it_serves(split: ServiceRouter, settings: Settings) -> None:
    settings.SERVICES = ["orders", "notify"]

    assert alias_of("billing") == "billing"
    assert served_aliases() == ["orders"]


@pytest.mark.django_db
def test_no_table_that_orders_write_has_a_foreign_key() -> None:
    """docs/decisions/0013: its plan is kept, and may be one for an empty table."""
    services = tuple(f"{app}_%" for app in [*SPLIT, *COPIED_APPS])
    keys = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text LIKE ANY(%s)"

    assert rows("default", keys, list(services)) == []


@pytest.mark.usefixtures("committed")
class TestLimits:
    def test_they_hold_in_the_transaction_and_no_longer(self) -> None:
        names = ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
        before = [rows("default", f"SHOW {name}") for name in names]
        with limited_transaction("default"):
            within = [rows("default", f"SHOW {name}")[0][0] for name in names]

        assert within == ["8s", "4s", "20s"]
        assert [rows("default", f"SHOW {name}") for name in names] == before

    def test_a_lock_is_not_waited_for_without_end(self) -> None:
        with second_session() as other, ThreadPoolExecutor(1) as pool:
            other.execute("LOCK TABLE messaging_outboxrow")

            def wait() -> None:
                with limited_transaction("default"):
                    run("default", "SET LOCAL lock_timeout = '50ms'")
                    run("default", "DELETE FROM messaging_outboxrow")

            with pytest.raises(OperationalError, match="lock timeout"):
                pool.submit(in_own_session(wait)).result()

    def test_an_error_takes_all_of_the_transaction_back(self) -> None:
        with pytest.raises(ProgrammingError), limited_transaction("default"):
            run("default", "CREATE TABLE half_done ()")
            run("default", "SELECT * FROM no_such_table")

        assert "half_done" not in connection.introspection.table_names()


@pytest.mark.usefixtures("db")
class TestStatements:
    def test_rows_come_as_tuples_and_changes_as_a_count(self) -> None:
        run("default", "CREATE TEMPORARY TABLE numbers (n int, t text)")

        assert run("default", "INSERT INTO numbers SELECT * FROM unnest(%s::int[], %s::text[])", *columns([(1, "a"), (2, None)], 2)) == 2
        assert rows("default", "SELECT n, t FROM numbers ORDER BY n") == [(1, "a"), (2, None)]
        assert run("default", "UPDATE numbers SET t = 'b' WHERE n > 5") == 0

    def test_a_percent_sign_needs_no_care_without_parameters(self) -> None:
        assert rows("default", "SELECT 'a%b' LIKE 'a%'") == [(True,)]

    def test_a_plan_is_kept_for_as_long_as_few_rows_are_asked_about(self) -> None:
        planned = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 4711%'"
        with planned_once(True):
            assert rows("default", "SELECT 4711 + %s", 1) == [(4712,)]
        with planned_once(False):
            assert rows("default", "SELECT 4711 - %s", 1) == [(4710,)]
        assert rows("default", "SELECT 4711 * %s", 1) == [(4711,)]

        assert rows("default", planned) == [(1,)]


def test_records_become_columns_as_many_as_there_should_be() -> None:
    assert columns([(1, "a"), (2, "b")], 2) == [[1, 2], ["a", "b"]]
    assert columns([], 3) == [[], [], []]


def test_records_of_different_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        columns([(1, 2), (1,)], 2)


def test_a_connection_looks_for_an_other_end_that_is_gone_without_a_word(committed: None) -> None:
    connection.ensure_connection()
    told = connection.connection.info.get_parameters()

    assert int(told["keepalives_idle"]) + int(told["keepalives_interval"]) * int(told["keepalives_count"]) < 10
    assert int(told["tcp_user_timeout"]) < 10_000
