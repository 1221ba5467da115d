"""Long runs are begun with the whole suite only, and nothing of them is left when it ends early."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import psutil
import pytest

from tests import ahead

SLEEPS = ("timeit", "-n", "1", "-r", "1", "import time; time.sleep(60)")


@pytest.fixture(autouse=True)
def nothing_begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stage of its own: the runs of this session go on."""
    with ThreadPoolExecutor(1) as pool:
        for name, value in {
            "_pool": pool,
            "_begun": {},
            "_processes": [],
            "RUNS": {"test_ahead": ("platform",), "absent": ("this",)},
        }.items():
            monkeypatch.setattr(ahead, name, value)
        yield
        ahead.pytest_unconfigure()


def collected(request: pytest.FixtureRequest, tests: int) -> None:
    ahead.pytest_collection_finish(SimpleNamespace(items=[request.node] * tests, config=request.config))  # type: ignore[arg-type]  # a session


def test_the_whole_suite_begins_the_runs_of_the_tests_that_are_in_it(request: pytest.FixtureRequest) -> None:
    collected(request, ahead.LEAST_TESTS)

    assert list(ahead._begun) == ["test_ahead"]
    assert ahead.result("test_ahead").returncode == 0
    assert ahead.result("test_ahead") is ahead.result("test_ahead")


def test_a_few_tests_begin_none_and_run_it_when_they_need_it(request: pytest.FixtureRequest) -> None:
    collected(request, 1)

    assert not ahead._begun
    assert ahead.result("test_ahead").stdout


def test_a_run_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "RUNS", {"test_ahead": ("nothing_like_this",)})

    assert ahead.result("test_ahead").returncode == 1
    assert "No module named nothing_like_this" in ahead.result("test_ahead").stderr


def test_nothing_is_left_of_a_session_that_ends_early(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "RUNS", {"test_ahead": SLEEPS})
    collected(request, ahead.LEAST_TESTS)
    until = time.monotonic() + 10
    while not ahead._processes:
        assert time.monotonic() < until
    [process] = ahead._processes

    ahead.pytest_unconfigure()

    assert process.wait(10) != 0
    assert not psutil.pid_exists(process.pid)
