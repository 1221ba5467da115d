"""When the demo's processes serve."""

import time
from collections.abc import Callable
from uuid import UUID

import httpx
from django.conf import settings

from consumers.models import Position
from kafka_shop.databases import served_aliases
from kafka_shop.local.plan import Web, consumers
from kafka_shop.local.processes import Processes

READY_SECONDS = 60.0
PAUSE_SECONDS = 0.05
Owners = dict[tuple[str, str, int], UUID | None]


class NotReady(Exception):
    """The processes run but do not serve."""


def wait(processes: Processes, ready: Callable[[], bool]) -> None:
    """Waits until `ready` holds. Raises NotReady after READY_SECONDS, ProcessEnded when a process ends meanwhile."""
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        processes.check()
        if time.monotonic() > deadline:
            raise NotReady(f"not ready within {READY_SECONDS:g} s; the logs are in {settings.VAR_DIR / 'log'}")
        time.sleep(PAUSE_SECONDS)


def web_is_ready(web: Web) -> bool:
    try:
        return httpx.get(f"{web.address}/ready", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def owners() -> Owners:
    """Who holds which partition of which consumer."""
    positions = (position for alias in served_aliases() for position in Position.objects.using(alias))
    return {(position.consumer, position.topic, position.partition): position.owner for position in positions}


def consumers_are_ready(before: Owners) -> bool:
    """Every consumer has claimed a partition that it did not own before."""
    claimed = {key[0] for key, owner in owners().items() if owner is not None and owner != before.get(key)}
    return claimed >= consumers()
