"""Time and chance of a simulation: nothing waits, and nothing is left to the machine."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
TICK = timedelta(microseconds=200)  # between two looks at the time, so that no two facts have one


class Clock:
    """Stands for the modules `time` and `django.utils.timezone`."""

    def __init__(self) -> None:
        self._passed = timedelta()

    def advance(self, seconds: float) -> None:
        self._passed += timedelta(seconds=seconds) + timedelta.resolution  # never nothing: some wait for a moment to pass

    sleep = advance

    def monotonic(self) -> float:
        """Seconds since the beginning of the simulation."""
        return self._passed.total_seconds()

    def time(self) -> float:
        return self.now().timestamp()

    def now(self) -> datetime:
        self._passed += TICK
        return START + self._passed


class Dice:
    """Stands for the module `random` and for makers of ids: the product's chance, apart from the simulator's own."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._random, self._clock, self._count = Random(f"product {seed}"), clock, 0
        self.random: Callable[[], float] = self._random.random
        self.uniform: Callable[[float, float], float] = self._random.uniform

    def uuid4(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def uuid7(self) -> UUID:
        """Ids that grow with time (RFC 9562)."""
        self._count += 1
        milliseconds = int(self._clock.time() * 1000)
        return UUID(int=(milliseconds << 80) | (7 << 76) | (self._count % 4096 << 64) | (2 << 62) | self._random.getrandbits(62))
