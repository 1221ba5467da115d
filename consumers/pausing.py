"""A stored wish that a consumer stands still: it is kept over restarts, until somebody resumes the consumer."""

import time
from collections.abc import Collection
from datetime import datetime

from django.conf import settings

from consumers.models import Pause
from kafka_shop.databases import alias_of, rows

LOOK_SECONDS = 1.0  # between two looks of a loop

ASKED = "SELECT EXISTS (SELECT FROM consumers_pause WHERE consumer = %s)"


def pause(*, name: str, by: str, now: datetime) -> Pause:
    """Wishes that a consumer stands still. One that does already keeps since when, and by whom."""
    found, _ = Pause.objects.using(alias_of(name)).get_or_create(consumer=name, defaults={"since": now, "by": by})
    return found


def resume(*, name: str) -> bool:
    """Takes the wish back; returns whether there was one."""
    deleted, _ = Pause.objects.using(alias_of(name)).filter(consumer=name).delete()
    return bool(deleted)


def is_paused(name: str) -> bool:
    [(paused,)] = rows(alias_of(name), ASKED, name)
    return bool(paused)


def paused_consumers() -> Collection[str]:
    """Those that this process serves and that are to stand still."""
    return {name for name in settings.SERVICES if is_paused(name)}


class Wish:
    """What a loop knows of the wish."""

    def __init__(self, name: str) -> None:
        self._name, self._look_at = name, 0.0
        self.paused = False

    def changed(self) -> bool:
        """Looks again when it is time; returns whether the wish is another one than before. Raises database errors."""
        if time.monotonic() < self._look_at:
            return False
        before, self.paused = self.paused, is_paused(self._name)
        self._look_at = time.monotonic() + LOOK_SECONDS
        return self.paused != before
