"""A short run over the running service; `make fuzz` goes on for as long as it is told."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import hooks

ROOT = Path(__file__).resolve().parents[2]
BUDGET = ("--requests", "2500", "--seconds", "120", "--seed", "1")


def test_made_up_requests_get_documented_answers_and_break_nothing() -> None:
    command = [sys.executable, "-m", "tests.fuzz", *BUDGET]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert "Found: 0 server errors, 0 kinds of undocumented answers, 0 failures" in run.stdout


class Case:
    """A request as schemathesis hands it to a hook."""

    path = "/api/v1/orders/"

    def __init__(self, headers: Any = None, query: Any = None) -> None:
        self.headers, self.query = headers, query


def test_most_keys_are_new_ones_and_some_come_again() -> None:
    cases = [Case({hooks.KEY: "key"}) for _ in range(100)]
    for case in cases:
        hooks.before_call(None, case, {})
    assert Counter(case.headers[hooks.KEY] for case in cases).most_common(2)[0] == ("key", 100 // hooks.REUSED)
    assert len({case.headers[hooks.KEY] for case in cases}) == 100 - 100 // hooks.REUSED + 1


@pytest.mark.parametrize(
    ("asked", "sent"), [("wait=10", "wait=1"), ("respond-async, wait=5", "wait=1"), ("", ""), ("return=minimal", "return=minimal")]
)
def test_a_wait_is_short(asked: str, sent: str) -> None:
    case = Case({hooks.PREFER: asked})
    hooks.before_call(None, case, {})
    assert case.headers == {hooks.PREFER: sent}


def test_what_the_server_refuses_by_itself_is_not_sent() -> None:
    assert hooks.filter_case(None, Case(query={"cursor": "a" * 60_000}))
    assert not hooks.filter_case(None, Case(query={"cursor": "é" * 12_000}))
