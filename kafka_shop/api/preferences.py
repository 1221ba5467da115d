"""`Prefer: wait=N` (RFC 7240): an answer that waits until what the request started has ended."""

import re
import time
from collections.abc import Callable
from threading import Semaphore

from django.conf import settings
from django.db import connections
from rest_framework.request import Request

LONGEST_SECONDS = 10
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, GROWTH = 0.01, 0.5, 1.5
WAIT = re.compile(r'\s*wait\s*=\s*"?([1-9][0-9]{0,5})"?\s*(;.*)?', re.IGNORECASE)

slots = Semaphore(settings.WEB_THREADS // 2)  # the other half of the threads goes on serving


def wait(request: Request, *, until: Callable[[], bool]) -> dict[str, str]:
    """Waits as long as the request prefers, 10 s at most, or until `until` says true; returns the headers that say that it did.

    They are empty when the request does not ask for it, or when half of the server's threads wait already. `until` is a short read.
    """
    seconds = preferred_seconds(request.headers.get("Prefer", ""))
    if not seconds or not slots.acquire(blocking=False):
        return {}
    try:
        poll(until, deadline=time.monotonic() + seconds)
    finally:
        slots.release()
    return {"Preference-Applied": f"wait={seconds}"}


def preferred_seconds(header: str) -> int:
    """The `wait` of a Prefer header, its first one, 10 at most; 0 when there is none that can be read (RFC 7240: it is then ignored)."""
    waits = [preference for preference in header.split(",") if preference.partition("=")[0].strip().lower() == "wait"]
    match = WAIT.fullmatch(waits[0]) if waits else None
    return min(int(match[1]), LONGEST_SECONDS) if match else 0


def poll(until: Callable[[], bool], *, deadline: float) -> None:
    """Asks until true or past the deadline (monotonic seconds). No connection is held during the pauses between."""
    pause = FIRST_PAUSE_SECONDS
    while not until() and (left := deadline - time.monotonic()) > 0:
        connections.close_all()
        time.sleep(min(pause, left))
        pause = min(pause * GROWTH, LONGEST_PAUSE_SECONDS)
