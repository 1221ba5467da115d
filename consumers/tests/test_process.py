"""What long-lived processes share: signals, one-line errors, a line of progress."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError, ProgrammingError

from consumers import process
from consumers.dead_letters import Flooded
from consumers.membership import PositionLost
from consumers.process import Progress, describe, one_line_errors
from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused

# A process whose main thread is inside C code, where no signal handler runs.
DEAF = """
import ctypes, os, django
django.setup()
from consumers import process

class Worker:
    def stop(self):
        os.write(1, b"asked to stop\\n")

process.END_SECONDS = float(os.environ["END_SECONDS"])
process.stop_on_signals(Worker())
os.write(1, b"ready\\n")
ctypes.CDLL(None).sleep(60)
"""


@contextmanager
def deaf_process(end_seconds: float) -> "Iterator[subprocess.Popen[str]]":
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "kafka_shop.settings", "END_SECONDS": str(end_seconds)}
    with subprocess.Popen([sys.executable, "-c", DEAF], env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert line(running) == "ready"
        yield running


def line(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    return str(running.stdout.readline()).strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_process_at_once(number: int) -> None:
    with deaf_process(end_seconds=60) as running:
        running.send_signal(number)
        assert line(running) == "asked to stop"
        running.send_signal(signal.SIGTERM)

        assert running.wait(20) == 128 + signal.SIGTERM


def test_a_process_that_cannot_finish_in_time_ends_all_the_same() -> None:
    with deaf_process(end_seconds=0.1) as running:
        running.send_signal(signal.SIGTERM)

        assert line(running) == "asked to stop"
        assert running.wait(20) == 0


@pytest.mark.parametrize(
    "error", [BrokerAway("no broker"), BrokerMisused("no topic"), PositionLost("orders", "billing-topic", 0, 7), Flooded("too many")]
)
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
