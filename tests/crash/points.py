"""Where a process can be stopped: before each of its effects on database and broker, and at its end.

A point is the gap between two effects: after one and before the next. So N effects have N + 1 points, and a stop at each of them is
a stop before and after every effect.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

CRASHED = 86  # exit code of a process that was stopped at a point
THE_END = "the end"


class Effect(NamedTuple):
    """Something that reaches a database or a broker."""

    kind: str  # sql, kafka or http
    label: str


class Points:
    """Counts the effects of this process, and ends it before the n-th, counted from 1, if told to."""

    def __init__(self, crash_at: int = 0, last_words: Callable[[Effect], None] = lambda effect: None, kinds: frozenset[str] = frozenset()):
        self.seen: list[Effect] = []
        self._crash_at, self._last_words, self._kinds = crash_at, last_words, kinds

    def reach(self, kind: str, label: str) -> None:
        """An effect is about to happen. As after kill -9, nothing is closed, flushed or rolled back."""
        if self._kinds and kind not in self._kinds:
            return
        effect = Effect(kind, " ".join(label.split()))
        self.seen.append(effect)
        if len(self.seen) == self._crash_at:
            self._last_words(effect)
            os._exit(CRASHED)

    def end(self) -> None:
        """The process has done what it does."""
        self.reach(next(iter(self._kinds), "sql"), THE_END)
