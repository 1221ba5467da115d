"""Asks databases that may be away."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError

T = TypeVar("T")


class Databases:
    """One that has given no answer is not asked again: a look at everything waits for it once, not twenty times."""

    def __init__(self) -> None:
        self._away: set[str] = set()

    def told(self, ask: Callable[..., T], alias: str, *about: Any) -> T | None:
        """What a question about a database finds; None when it gives no answer."""
        if alias in self._away:
            return None
        try:
            return ask(alias, *about)
        except (DatabaseError, InterfaceError):
            self._away.add(alias)
            return None
