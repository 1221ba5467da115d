"""Attempts to sign in that failed, counted in the database, so that all processes count together."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from django.db import connection, transaction

from kafka_shop.users.models import FailedAttempt

MOST_FAILURES = 5
WINDOW = timedelta(minutes=1)
LOCK = "SELECT pg_advisory_xact_lock(hashtext('sign-in'), hashtext(%s))"

Found = TypeVar("Found")


class TooManyFailures(Exception):
    """Too many attempts have failed; `seconds` to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts to sign in have failed. Try again in {seconds} s.")
        self.seconds = seconds


def limited(attempt: Callable[[], Found | None], *, of: str, now: datetime) -> Found | None:
    """What an attempt finds; None is a failure. Raises TooManyFailures after 5 of the same name and address within a minute.

    Attempts of the same name and address go one after another, so that many at once are counted, too. A success forgets the failures.
    """
    key = sha256(of.encode(errors="replace")).hexdigest()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [key])
        refuse_after_failures(key, now)
        found = attempt()
        if found is None:
            note_failure(key, now)
        else:
            FailedAttempt.objects.filter(key=key).delete()
    return found


def refuse_after_failures(key: str, now: datetime) -> None:
    """Raises TooManyFailures."""
    failures = FailedAttempt.objects.filter(key=key, at__gt=now - WINDOW).order_by("-at").values_list("at", flat=True)[:MOST_FAILURES]
    if len(failures) == MOST_FAILURES:
        raise TooManyFailures(math.ceil((failures[MOST_FAILURES - 1] + WINDOW - now).total_seconds()))


def note_failure(key: str, now: datetime) -> None:
    """Counts a failure, and forgets those that count no more."""
    FailedAttempt.objects.filter(at__lte=now - WINDOW).delete()
    FailedAttempt.objects.create(key=key, at=now)
