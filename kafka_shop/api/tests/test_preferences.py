"""`Prefer: wait=N`: what is understood, and how the waiting is done."""

from threading import Semaphore
from typing import Any

import pytest
from django.db import connections
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from kafka_shop.api import preferences


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=3", 3),
        ("WAIT=3", 3),
        (" wait = 3 ", 3),
        ('wait="3"', 3),
        ("wait=3; foo=bar", 3),
        ("respond-async, wait=3", 3),
        ("wait=3, wait=5", 3),  # RFC 7240: the first one counts
        ("wait=11", 10),
        ("wait=999999", 10),
        ("", 0),
        ("wait", 0),
        ("wait=", 0),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=x, wait=3", 0),
        ("wait=٣", 0),
        ("waiting=3", 0),
        ("wait=" + "9" * 5000, 0),
    ],
)
def test_the_preference_is_read_as_rfc_7240_says(header: str, seconds: int) -> None:
    assert preferences.preferred_seconds(header) == seconds


def request(header: str) -> Request:
    return Request(APIRequestFactory().get("/", headers={"Prefer": header}))


class Clock:
    """Time that passes only by pauses."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(preferences, "time", clock)
    return clock


def test_nothing_is_asked_when_no_wait_is_preferred(clock: Clock) -> None:
    assert preferences.wait(request("respond-async"), until=pytest.fail) == {}


def test_it_ends_as_soon_as_the_answer_is_there(clock: Clock) -> None:
    answers = iter([False, False, True])
    assert preferences.wait(request("wait=5"), until=lambda: next(answers)) == {"Preference-Applied": "wait=5"}
    assert len(clock.pauses) == 2


def test_pauses_grow_and_end_with_the_time_asked_for(clock: Clock) -> None:
    assert preferences.wait(request("wait=5"), until=lambda: False) == {"Preference-Applied": "wait=5"}
    assert sum(clock.pauses) == pytest.approx(5)
    assert clock.pauses[:-1] == sorted(clock.pauses[:-1])
    assert max(clock.pauses) <= preferences.LONGEST_PAUSE_SECONDS
    assert len(clock.pauses) < 30


def test_no_connection_is_held_during_a_pause(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    monkeypatch.setattr(connections, "close_all", lambda: closed.append(len(clock.pauses)))
    preferences.wait(request("wait=1"), until=lambda: len(clock.pauses) == 3)
    assert closed == [0, 1, 2]


def test_half_of_the_threads_wait_and_the_next_is_answered_at_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "slots", Semaphore(1))
    inner: list[Any] = []

    def until() -> bool:
        inner.append(preferences.wait(request("wait=5"), until=pytest.fail))
        return True

    assert preferences.wait(request("wait=5"), until=until) != {}
    assert inner == [{}]
    assert preferences.wait(request("wait=5"), until=lambda: True) != {}  # the place is free again


def test_a_failing_read_gives_its_place_back(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "slots", Semaphore(1))
    with pytest.raises(ZeroDivisionError):
        preferences.wait(request("wait=5"), until=lambda: bool(1 / 0))
    assert preferences.slots.acquire(blocking=False)
