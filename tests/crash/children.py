"""Processes that are made by fork from one that has imported everything and connected to nothing: they start in milliseconds."""

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

LONGEST_SECONDS = 120  # that a child may take before it counts as hanging


class Ended(NamedTuple):
    """How a child ended: its exit code (minus the signal that ended it), and what it said last."""

    code: int
    said: Any


class ChildFailed(Exception):
    """A child ended in another way than expected; the message has its traceback."""


def run(work: Callable[[Callable[[Any], None]], None]) -> Ended:
    """Runs `work` in a child and waits for its end. It is given a function by which it says something."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _live(work, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), pickle.loads(said) if said else None)  # noqa: S301  a child of ours wrote it


def result(work: Callable[[], Any]) -> Any:
    """What `work` returns when a child does it. Raises ChildFailed."""
    ended = run(lambda say: say(work()))
    if ended.code:
        raise ChildFailed(f"exit code {ended.code}: {ended.said}")
    return ended.said


def _live(work: Callable[[Callable[[Any], None]], None], writer: int) -> None:
    """A child's whole life; it never returns."""
    signal.alarm(LONGEST_SECONDS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # on a terminal the shop's processes ask the database what to show there

    def say(words: Any) -> None:
        with os.fdopen(os.dup(writer), "wb") as pipe:
            pipe.write(pickle.dumps(words))

    try:
        work(say)
    except BaseException:
        say(traceback.format_exc())
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
