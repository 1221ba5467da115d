"""Threads that take turns, so that the same threads do the same things in the same order in every run: one moves on when another waits."""

import threading
from collections.abc import Callable
from typing import Any

ROUNDS = 2  # that the main thread lets the others have before it stops them: what one makes, another carries on


class Ring:
    """The threads in the order of their start; the one whose turn it is works, until it waits."""

    def __init__(self) -> None:
        self._members = [threading.get_ident()]
        self.main = self._turn = self._members[0]
        self._moved = threading.Condition()
        self._rounds = ROUNDS

    def flag(self) -> "TurnFlag":
        return TurnFlag(self)

    def thread(self, *, target: Callable[..., None], args: tuple[Any, ...], daemon: bool) -> "TurnThread":
        return TurnThread(self, target, args)

    def add(self, member: int) -> None:
        with self._moved:
            self._members.append(member)

    def wait(self) -> None:
        """Ends this thread's turn and waits for its next."""
        with self._moved:
            self._turn = self._after(threading.get_ident())
            self._moved.notify_all()
            self._moved.wait_for(self._is_mine)

    def first_wait(self) -> None:
        with self._moved:
            self._moved.wait_for(self._is_mine)

    def leave(self) -> None:
        with self._moved:
            me = threading.get_ident()
            self._turn = self._after(me)
            self._members.remove(me)
            self._moved.notify_all()

    def has(self, member: int) -> bool:
        return member in self._members

    def is_over(self) -> bool:
        """Whether the main thread has waited often enough: then its wait is the one that a signal ends."""
        if threading.get_ident() == self.main:
            self._rounds -= 1
        return self._rounds <= 0

    def _after(self, member: int) -> int:
        return self._members[(self._members.index(member) + 1) % len(self._members)]

    def _is_mine(self) -> bool:
        return self._turn == threading.get_ident()


class TurnFlag:
    """threading.Event whose `wait` gives the turn to the next thread, and takes no time."""

    def __init__(self, ring: Ring) -> None:
        self._ring, self._set = ring, False

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            self._ring.wait()
        if threading.get_ident() == self._ring.main and self._ring.is_over():
            self._set = True
        return self._set


class TurnThread:
    """threading.Thread whose work begins with its first turn."""

    def __init__(self, ring: Ring, target: Callable[..., None], args: tuple[Any, ...]) -> None:
        self._ring, self._target, self._args = ring, target, args
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._thread.ident is not None
        self._ring.add(self._thread.ident)

    def join(self, timeout: float | None = None) -> None:
        assert self._thread.ident is not None
        while self._ring.has(self._thread.ident):
            self._ring.wait()

    def _work(self) -> None:
        self._ring.first_wait()
        try:
            self._target(*self._args)
        finally:
            self._ring.leave()
