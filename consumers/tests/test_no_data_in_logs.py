"""Whatever fails, neither logs nor reasons nor the list of dead letters say what a message or a row holds."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal

import msgspec
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DataError, OperationalError
from pytest_django import Settings

from consumers import replay
from consumers.choosing import Choice, find
from consumers.dead_letters import Flooded
from consumers.models import DeadLetter
from consumers.process import one_line_errors
from consumers.receiving import SendAgain, receive
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import run as run_consumer
from consumers.tests.stubs import CONSUMER, NOW, Doors, Opened, opened, raw
from consumers.tests.test_failures import database_error
from kafka_shop.databases import run as sql
from kafka_shop.messaging.envelope import Headers, seal, to_json, to_kafka
from orders.events import OrderSettled

SECRET = "Alice-Secret-7"
HEADERS, VALUE = to_kafka(seal(opened(1)))


@pytest.fixture(autouse=True)
def logs(effects_table: None, broker: MemoryBroker, settings: Settings, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every log line of the test, searched at its end; so are the reasons and the list."""
    caplog.set_level(logging.INFO)
    settings.MESSAGE_ATTEMPTS = 2
    yield
    assert SECRET not in caplog.text


@pytest.fixture(autouse=True)
def written(capfd: pytest.CaptureFixture[str], logs: None) -> Iterator[None]:
    """All that went to stdout and stderr."""
    yield
    call_command("dead_letters", "list", "--state", "all")
    assert SECRET not in "".join(capfd.readouterr())


def broken_rule() -> None:
    raise ValueError(SECRET)


def missing_key() -> None:
    raise KeyError(SECRET)


def wrong_amount() -> None:
    Decimal("1").quantize(Decimal(SECRET))


def wrong_shape() -> None:
    msgspec.convert({"outcome": SECRET}, OrderSettled)


def broken_check() -> None:
    sql("default", "INSERT INTO orders_product (sku, name, price, currency, active) VALUES (%s, %s, -1, 'EUR', true)", SECRET, SECRET)


def wrong_text() -> None:
    sql("default", "SELECT %s::int", SECRET)


def nul_in_text() -> None:
    raise DataError(f"NUL in {SECRET!r}")


def caused_by_row() -> None:
    raise ValueError(SECRET) from database_error("23514")


def group() -> None:
    raise ExceptionGroup(SECRET, [ValueError(SECRET)])


FAULTS: Sequence[Callable[[], None]] = (
    broken_rule, missing_key, wrong_amount, wrong_shape, broken_check, wrong_text, nul_in_text, caused_by_row, group,
)  # fmt: skip
WITH_SECRETS: Sequence[tuple[Headers, bytes | None]] = (
    ([], SECRET.encode()),
    (HEADERS, SECRET.encode()),
    (HEADERS, b'{"order_id":"' + SECRET.encode() + b'"}'),
    (HEADERS, VALUE.replace(b'"order_id":"', b'"order_id":"' + SECRET.encode())),
    (HEADERS, b"\xff" + SECRET.encode()),
    (HEADERS, SECRET.encode() * 100_000),
    ([(name, SECRET.encode() if name == "ce_time" else value) for name, value in HEADERS], VALUE),
    ([(name, SECRET.encode() if name == "ce_specversion" else value) for name, value in HEADERS], VALUE),
    ([(name, SECRET.encode() if name == "content-type" else value) for name, value in HEADERS], VALUE),
    ([(name, SECRET.encode() + b"\xff" if name == "ce_source" else value) for name, value in HEADERS], VALUE),
    ([(name, SECRET.encode() + b"\0" if name == "ce_subject" else value) for name, value in HEADERS], VALUE),
)


def fails_with(fault: Callable[[], None]) -> Callable[[object], None]:
    return lambda ids: fault()


def refused() -> DeadLetter:
    """The one dead letter, whose reason says something, and nothing of the message."""
    letter = DeadLetter.objects.get()
    assert letter.reason
    assert SECRET not in letter.reason
    return letter


def fails_again() -> None:
    """A replay of all fails, by the command and without it."""
    with pytest.raises(CommandError):
        call_command("dead_letters", "replay", "--all")
    [outcome] = replay.replay(letters=find(choice=Choice(), limit=1), clock=lambda: NOW)
    assert outcome.state == "failed"
    assert SECRET not in outcome.reason
    refused()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_handler_over_kafka(fault: Callable[[], None], broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = fails_with(fault)
    broker.append(opened(1))
    run_consumer()
    refused()
    fails_again()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_handler_over_http(fault: Callable[[], None], doors: Doors) -> None:
    doors.fails = fails_with(fault)
    receive(CONSUMER, [to_json(seal(opened(1)))])
    refused()
    fails_again()


@pytest.mark.parametrize(("headers", "value"), WITH_SECRETS)
def test_what_cannot_be_read_over_kafka(headers: Headers, value: bytes, broker: MemoryBroker) -> None:
    broker.put(raw(0, headers, value))
    run_consumer()
    refused()
    fails_again()


@pytest.mark.parametrize(
    "content",
    [
        SECRET.encode(),
        b'"' + SECRET.encode() + b'"',
        b'{"specversion":"' + SECRET.encode() + b'","type":"shop.door.opened.v1"}',
        to_json(seal(opened(1))).replace(b'"time":"', b'"time":"' + SECRET.encode()),
        to_json(seal(opened(1))).replace(b'"specversion":"', b'"specversion":"' + SECRET.encode()),
        to_json(seal(opened(1))).replace(b'"order_id":"', b'"order_id":"' + SECRET.encode()),
    ],
)
def test_what_cannot_be_read_over_http(content: bytes) -> None:
    receive(CONSUMER, [content])
    refused()
    fails_again()


@pytest.mark.parametrize("code", ["40001", "57P01", "55P03", "57014"])
def test_what_only_time_can_mend(code: str, broker: MemoryBroker, doors: Doors, caplog: pytest.LogCaptureFixture) -> None:
    left = [database_error(code, OperationalError, SECRET) for _ in range(3)]

    def fails(ids: object) -> None:
        if left:
            raise left.pop()

    doors.fails = fails
    broker.append(opened(1))
    run_consumer()
    assert "trying again" in caplog.text


@pytest.mark.parametrize("error", [database_error("40001", OperationalError, SECRET), database_error("42P01", OperationalError, SECRET)])
def test_what_is_sent_again_over_http(error: Exception, doors: Doors) -> None:
    def fails(ids: object) -> None:
        raise error

    doors.fails = fails
    with pytest.raises(SendAgain) as raised:
        receive(CONSUMER, [to_json(seal(opened(1)))])
    assert SECRET not in str(raised.value)


def test_a_flood(broker: MemoryBroker, doors: Doors, settings: Settings) -> None:
    settings.FLOOD_SHARE = 0.001
    doors.fails = fails_with(broken_rule)
    broker.append(opened(1))
    with pytest.raises(CommandError) as raised, one_line_errors():
        run_consumer()
    assert isinstance(raised.value.__cause__, Flooded)
    assert SECRET not in str(raised.value)
    with suppress(SendAgain):
        receive(CONSUMER, [to_json(seal(opened(1)))])


def test_an_event_that_is_applied(broker: MemoryBroker, doors: Doors, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it is logged at all."""

    class Named(Opened, frozen=True, kw_only=True):
        name: str

    event = Named(order_id=opened(1).order_id, customer_id=opened(1).customer_id, name=SECRET)
    broker.append(event)
    run_consumer()
    assert doors.calls == [[event.id]]
    assert event.id not in caplog.text
