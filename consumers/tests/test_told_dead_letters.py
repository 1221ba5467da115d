"""The log line of a dead letter leads to its order and its trace in the logs of the other services."""

from typing import Any

import msgspec
import pytest
from structlog.testing import CapturingLogger

from consumers import dead_letters
from consumers.receiving import receive
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import run
from consumers.tests.stubs import Doors, opened, raw, record, uuid
from kafka_shop.messaging.envelope import seal, to_json, to_kafka
from kafka_shop.messaging.events import Conflict

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
PRIVATE = "Alice-Secret-7"

pytestmark = pytest.mark.usefixtures("effects_table")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, doors: Doors) -> CapturingLogger:
    """What is told of dead letters, while no handler succeeds."""

    def fail(ids: list[str]) -> None:
        raise Conflict("a door is gone")

    doors.fails = fail
    logger = CapturingLogger()
    monkeypatch.setattr(dead_letters, "log", logger)
    return logger


def only(lines: CapturingLogger) -> dict[str, Any]:
    [call] = lines.calls
    assert (call.method_name, call.args) == ("error", ("dead letter",))
    return call.kwargs


def test_it_has_the_order_and_the_trace(broker: MemoryBroker, lines: CapturingLogger) -> None:
    broker.put(record(opened(7), 0, traceparent=TRACEPARENT))

    run()

    ids = {"order_id": str(uuid(7)), "trace_id": TRACE}
    assert only(lines) == {"consumer": "billing", "partition": 0, "offset": 0, **ids, "reason": "Conflict: a door is gone"}


def test_over_http_too(broker: MemoryBroker, lines: CapturingLogger) -> None:
    receive("billing", [to_json(seal(opened(7), TRACEPARENT))])

    line = only(lines)
    assert (line["order_id"], line["trace_id"]) == (str(uuid(7)), TRACE)


def test_what_is_no_id_stays_out(broker: MemoryBroker, lines: CapturingLogger) -> None:
    headers, value = to_kafka(msgspec.structs.replace(seal(opened(7)), subject=PRIVATE, traceparent=PRIVATE))
    broker.put(raw(0, headers, value))
    broker.put(raw(1, [], b"not an event"))

    run()

    assert len(lines.calls) == 2
    for call in lines.calls:
        assert call.kwargs.keys() == {"consumer", "partition", "offset", "reason"}
