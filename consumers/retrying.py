"""What to try next when a batch failed: the same for messages of a log and for those of a request."""

import random
from dataclasses import dataclass

from django.conf import settings

from consumers.failures import LOST_RACE, Verdict, backoff_seconds, reason, sqlstate
from consumers.reading import Item

LONGEST_LONE_PAUSE_MS = 1000


@dataclass
class Batch:
    """Messages in the order of their log, applied together or cut in halves."""

    items: list[Item]
    raced: bool = False  # it lost a race once: the next time is poison

    def halves(self) -> list["Batch"]:
        middle = len(self.items) // 2
        return [Batch(self.items[:middle]), Batch(self.items[middle:])]


def next_tries(batch: Batch, error: Exception, verdict: Verdict) -> list[Batch]:
    """The batches to try in place of one that failed, in order; none when only time can help.

    A lost race is run once more as a whole; poison is searched in halves, each a batch of its own; a lone message has its attempts
    counted, and is refused after MESSAGE_ATTEMPTS: its next try makes it a dead letter. A dead letter that fails has no next try.
    """
    if verdict is Verdict.AGAIN_ONCE and not batch.raced:
        return [Batch(batch.items, raced=True)]
    if verdict in {Verdict.AGAIN, Verdict.CLAIM, Verdict.STOP}:
        return []
    if len(batch.items) > 1:
        return batch.halves()
    [item] = batch.items
    return [] if verdict is Verdict.BISECT or item.refusal else [count_attempt(item, error)]


def count_attempt(item: Item, error: Exception) -> Batch:
    """One more failure of a message by itself."""
    item.attempts += 1
    if item.attempts >= settings.MESSAGE_ATTEMPTS:
        item.refusal = reason(error)
    return Batch([item], raced=sqlstate(error) in LOST_RACE)


def lone_pause_seconds(batch: Batch) -> float:
    """The pause before a message that failed by itself is tried again; none before it becomes a dead letter."""
    [*others, item] = batch.items
    if others or not item.attempts or item.refusal:
        return 0.0
    return backoff_seconds(item.attempts, first_ms=settings.RETRY_BACKOFF_MS[0], longest_ms=LONGEST_LONE_PAUSE_MS, jitter=random.random())
