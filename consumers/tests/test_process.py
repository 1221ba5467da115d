"""What long-lived processes share: signals, one-line errors, a line of progress."""

import os
import signal
from collections.abc import Iterator

import pytest
from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError, ProgrammingError

from consumers import process
from consumers.dead_letters import Flooded
from consumers.membership import PositionLost
from consumers.process import Progress, describe, one_line_errors, stop_on_signals
from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused


class Worker:
    stopped = 0

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def handlers() -> Iterator[None]:
    """Puts the signal handlers of the test run back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_worker_and_a_second_ends_the_process(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    exits: list[int] = []
    monkeypatch.setattr(os, "_exit", exits.append)
    worker = Worker()
    stop_on_signals(worker)

    signal.raise_signal(number)
    assert (worker.stopped, exits) == (1, [])

    signal.raise_signal(signal.SIGTERM)
    assert exits == [128 + signal.SIGTERM]


@pytest.mark.parametrize("error", [BrokerAway("no broker"), BrokerMisused("no topic"), PositionLost("gone"), Flooded("too many")])
def test_what_a_person_can_mend_is_its_own_line(error: Exception) -> None:
    with pytest.raises(CommandError) as caught, one_line_errors():
        raise error

    assert str(caught.value) == str(error)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OperationalError("refused\n\tIs the server running?"), "the database does not answer: refused; see DATABASE_URL"),
        (OperationalError(""), "the database does not answer: OperationalError; see DATABASE_URL"),
        (
            ProgrammingError('relation "x" does not exist\nLINE 1'),
            'is not as this version needs it: relation "x" does not exist; run `python',
        ),
    ],
)
def test_a_database_error_is_one_line_with_its_remedy(error: Exception, line: str) -> None:
    with pytest.raises(CommandError) as caught, one_line_errors():
        raise error

    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(KeyError), one_line_errors():
        raise KeyError


@pytest.mark.parametrize(
    ("rate", "lag", "words"),
    [
        (1234.5, 0, "1,234/s, nothing waits"),
        (100.0, 5000, "100/s, 5,000 wait, drained in 50 s"),
        (0.0, 5000, "0/s, 5,000 wait, standing still"),
        (10.0, None, "10/s, how much waits is not known now"),
    ],
)
def test_progress_in_words(rate: float, lag: int | None, words: str) -> None:
    assert describe(rate, lag) == words


@pytest.mark.parametrize("error", [BrokerAway("away"), DatabaseError("away")])
def test_a_line_of_progress_survives_a_broker_or_database_that_is_away(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    def lag() -> int:
        raise error

    Progress("billing").show(7, lag)

    assert "billing: 7 messages" in capsys.readouterr().err


def test_nothing_is_asked_before_there_is_something_to_show() -> None:
    def lag() -> int:
        raise AssertionError

    Progress("billing").show(7, lag)
