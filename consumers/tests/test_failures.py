"""What an error means: the table by SQLSTATE and by the client's error."""

import psycopg
import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
)
from hypothesis import given
from hypothesis import strategies as st
from psycopg_pool import PoolTimeout

import billing.rules
from consumers.failures import Fenced, Verdict, backoff_seconds, judge, reason, sqlstate
from kafka_shop.databases import limited_transaction, run
from kafka_shop.messaging.envelope import FactTooLarge
from kafka_shop.messaging.events import Conflict
from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused

AGAIN, AGAIN_ONCE, BISECT, POISON, CLAIM, STOP = (
    Verdict.AGAIN,
    Verdict.AGAIN_ONCE,
    Verdict.BISECT,
    Verdict.POISON,
    Verdict.CLAIM,
    Verdict.STOP,
)


def database_error(
    code: str, kind: type[DatabaseError] = DatabaseError, message: str = "Key (id)=(secret) already exists"
) -> DatabaseError:
    """Django's error around psycopg's, as `wrap_database_errors` makes it."""
    error = kind(message)
    error.__cause__ = psycopg.errors.lookup(code)(message)
    return error


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("08000", AGAIN),  # connection_exception
        ("08006", AGAIN),  # connection_failure
        ("25006", AGAIN),  # read_only_sql_transaction: an older primary
        ("25P02", AGAIN),  # in_failed_sql_transaction
        ("25P03", AGAIN),  # idle_in_transaction_session_timeout
        ("40001", AGAIN),  # serialization_failure
        ("40003", AGAIN),  # statement_completion_unknown
        ("40P01", AGAIN),  # deadlock_detected
        ("53100", AGAIN),  # disk_full
        ("53300", AGAIN),  # too_many_connections
        ("55P03", AGAIN),  # lock_not_available
        ("57P01", AGAIN),  # admin_shutdown
        ("57P03", AGAIN),  # cannot_connect_now
        ("58030", AGAIN),  # io_error
        ("57014", BISECT),  # query_canceled: the statement time-out
        ("23505", AGAIN_ONCE),  # unique_violation
        ("23503", AGAIN_ONCE),  # foreign_key_violation
        ("23502", POISON),  # not_null_violation
        ("23514", POISON),  # check_violation
        ("22001", POISON),  # string_data_right_truncation
        ("22003", POISON),  # numeric_value_out_of_range
        ("22021", POISON),  # character_not_in_repertoire: a NUL
        ("54000", POISON),  # program_limit_exceeded: a key too long for its index
        ("P0001", POISON),  # raise_exception: a trigger refuses
        ("28P01", STOP),  # invalid_password
        ("3D000", STOP),  # invalid_catalog_name
        ("3F000", STOP),  # invalid_schema_name
        ("42501", STOP),  # insufficient_privilege
        ("42P01", STOP),  # undefined_table
        ("42703", STOP),  # undefined_column
        ("XX001", STOP),  # data_corrupted
    ],
)
def test_a_database_error_is_judged_by_its_sqlstate(code: str, verdict: Verdict) -> None:
    assert judge(database_error(code)) is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (Fenced("partition 0 has another owner"), CLAIM),
        (BrokerAway("no broker"), AGAIN),
        (PoolTimeout("couldn't get a connection"), AGAIN),
        (InterfaceError("connection already closed"), AGAIN),
        (OperationalError("connection refused"), AGAIN),
        (BrokerMisused("no such topic"), POISON),
        (DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), POISON),
        (Conflict("order 1 is unknown"), POISON),
        (FactTooLarge("order.placed:1"), POISON),
        (KeyError("customer"), POISON),
        (AssertionError(), POISON),
    ],
)
def test_an_error_without_a_sqlstate_is_judged_by_its_kind(error: Exception, verdict: Verdict) -> None:
    assert judge(error) is verdict


def test_the_database_error_behind_a_handlers_error_decides() -> None:
    try:
        raise ValueError("no row") from database_error("40001")
    except ValueError as error:
        assert sqlstate(error) == "40001"
        assert judge(error) is Verdict.AGAIN


@pytest.mark.parametrize(
    ("sql", "kind", "verdict"),
    [
        ("SELECT 1/0", DataError, POISON),
        ("SELECT * FROM no_such_table", ProgrammingError, STOP),
        ("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)", OperationalError, BISECT),
        ("DO $$ BEGIN RAISE unique_violation USING MESSAGE = 'secret'; END $$", IntegrityError, AGAIN_ONCE),
        ("DO $$ BEGIN RAISE deadlock_detected; END $$", OperationalError, AGAIN),
        ("DO $$ BEGIN RAISE internal_error; END $$", InternalError, STOP),
    ],
)
@pytest.mark.usefixtures("db")
def test_what_postgresql_raises_is_judged_alike(sql: str, kind: type[Exception], verdict: Verdict) -> None:
    with pytest.raises(kind) as caught, limited_transaction("default"):
        run("default", sql)

    assert judge(caught.value) is verdict


@pytest.mark.usefixtures("committed")
def test_a_killed_connection_is_transient() -> None:
    with pytest.raises(OperationalError) as caught:
        run("default", "SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()

    assert judge(caught.value) is Verdict.AGAIN


def test_the_reason_of_a_database_error_is_its_code_and_quotes_no_data() -> None:
    assert reason(database_error("23505", IntegrityError)) == "IntegrityError 23505"
    assert reason(DataError("NUL in 'secret'")) == "DataError"


@pytest.mark.django_db
def test_the_reason_of_a_broken_constraint_names_it() -> None:
    with pytest.raises(IntegrityError, match="secret") as caught:
        run("default", "INSERT INTO orders_product (sku, name, price, currency, active) VALUES ('x', 'secret', 1, 'eur', true)")
    assert reason(caught.value) == "IntegrityError 23514 product_currency_is_a_code"


def test_the_reason_of_a_handlers_error_keeps_its_database_error_to_the_code() -> None:
    error = ValueError("secret row")
    error.__cause__ = database_error("23514")

    assert reason(error) == "ValueError 23514"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Conflict("order 1 has another amount\nsecond line"), "Conflict: order 1 has another amount"),
        (Conflict("x" * 5000), "Conflict: " + "x" * 490),
        (Conflict(""), "Conflict: "),
        (KeyError("secret"), "KeyError"),
        (ValueError("secret"), "ValueError"),
    ],
)
def test_the_reason_is_one_short_line_and_quotes_no_strange_message(error: Exception, line: str) -> None:
    assert reason(error) == line


def test_the_reason_of_a_strange_error_names_the_place_in_the_shops_own_code() -> None:
    with pytest.raises(ValueError, match="secret") as caught:
        billing.rules.code("secret")
    assert reason(caught.value) == "ValueError in billing.rules.code"


@given(st.integers(1, 10_000), st.integers(1, 1000), st.integers(1000, 60_000), st.floats(0, 1))
def test_the_back_off_stays_between_half_the_first_and_the_longest_pause(
    attempt: int, first_ms: int, longest_ms: int, jitter: float
) -> None:
    seconds = backoff_seconds(attempt, first_ms=first_ms, longest_ms=longest_ms, jitter=jitter)

    assert first_ms / 2000 <= seconds <= longest_ms / 1000


def test_the_back_off_doubles_until_it_is_longest() -> None:
    pauses = [backoff_seconds(attempt, first_ms=100, longest_ms=30_000, jitter=1) for attempt in range(1, 12)]

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]
