"""Runs the real consumer on the broker in memory."""

import time
from collections.abc import Callable

from consumers.loop import Loop
from consumers.tests.stubs import CONSUMER, opened


def run(loop: Loop | None = None) -> Loop:
    """Runs a consumer until everything is read, and ends it."""
    loop = loop or Loop(CONSUMER)
    loop.run(finished=in_time(lambda loop: loop.idle))
    return loop


def turn(loop: Loop, until: Callable[[], object]) -> None:
    """Turns a consumer until something has happened, and leaves it as it is."""
    finished = in_time(lambda loop: until())
    while not finished(loop):
        loop.run_once()


def started() -> Loop:
    """A consumer that has claimed its partitions and read everything."""
    loop = Loop(CONSUMER)
    turn(loop, until=lambda: loop.idle)
    return loop


def in_time(condition: Callable[[Loop], object]) -> Callable[[Loop], bool]:
    deadline = time.monotonic() + 30

    def answer(loop: Loop) -> bool:
        assert time.monotonic() < deadline, "the consumer never gets there"
        return bool(condition(loop))

    return answer


def opened_ids(*numbers: int) -> list[str]:
    return [opened(number).id for number in numbers]
