"""The sweep: one relay of a database at a time asks the services what still waits for its answer."""

from datetime import datetime

import pytest
from django.db import connection
from pytest_django import Settings

from consumers import relay
from consumers.tests.stubs import NOW
from tests.sessions import second_session

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[tuple[datetime, int, int]]:
    """What the service is asked; it answers that it put 7 facts back."""
    asked: list[tuple[datetime, int, int]] = []

    def republish_pending(*, now: datetime, after_seconds: int, limit: int) -> int:
        assert connection.in_atomic_block
        asked.append((now, after_seconds, limit))
        return 7

    settings.SWEEP_AFTER_SECONDS = 33
    monkeypatch.setattr(relay, "SWEEPS", {"orders": republish_pending})
    return asked


def test_a_service_is_asked_for_a_few_of_what_waits_too_long(asked: list[tuple[datetime, int, int]]) -> None:
    assert relay.sweep(NOW) == 7
    assert asked == [(NOW, 33, relay.SWEEP_ROWS)]


def test_while_another_relay_sweeps_nothing_is_asked(asked: list[tuple[datetime, int, int]]) -> None:
    with second_session() as other:
        other.execute(relay.LOCK, ["orders"])
        assert relay.sweep(NOW) == 0
        other.rollback()

        assert relay.sweep(NOW) == 7
    assert len(asked) == 1


def test_the_relay_looks_every_few_milliseconds_when_busy_and_ten_times_a_second_when_idle() -> None:
    pauses = [relay.pause_seconds(quiet) for quiet in (0, 0.02, 0.1, 0.3, 0.5, 60)]

    assert pauses == pytest.approx([0.002, 0.002, 0.005, 0.015, 0.025, 0.1])


def test_a_service_that_is_not_served_here_is_not_swept(asked: list[tuple[datetime, int, int]], settings: Settings) -> None:
    settings.SERVICES = ["billing"]

    assert relay.sweep(NOW) == 0
    assert asked == []
