"""Letters a minute, and how long they took. What a minute has told is kept once it is over: a look reads one or two minutes, not all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from consumers.metrics import placed_at
from consumers.ops.figures import MINUTE, QUARTER, SAMPLES, first_id_of, percentile
from kafka_shop.databases import rows

LATE = timedelta(seconds=30)  # a batch that was in hand at a minute's end may still write letters of it
MOST_COUNTED = 100_000  # letters a minute

LETTERS = """
SELECT counted.letters, newest.order_ids, newest.times
FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS minute(begin, until, place),
LATERAL (SELECT count(*) FROM (SELECT FROM notify_letter WHERE id >= begin AND id < until LIMIT %s) AS each) AS counted(letters),
LATERAL (
    SELECT array_agg(order_id), array_agg(created_at) FROM (
        SELECT order_id, created_at, outcome FROM notify_letter WHERE id >= begin AND id < until ORDER BY id DESC LIMIT %s
    ) AS each WHERE outcome IN ('paid', 'rejected')
) AS newest(order_ids, times)
ORDER BY place
"""


class Minute(NamedTuple):
    """at: its begin. p95_ms: from place to letter, of the newest SAMPLES letters that tell of a payment or a refusal."""

    at: datetime
    letters: int
    p95_ms: float | None


class Minutes:
    """The last 15 minutes, oldest first; the last one is not over yet."""

    def __init__(self) -> None:
        self._over: dict[datetime, Minute] = {}

    def __call__(self, alias: str, now: datetime) -> list[Minute]:
        """Raises database errors."""
        last = now.replace(second=0, microsecond=0)
        wanted = [last - MINUTE * back for back in reversed(range(QUARTER // MINUTE))]
        found = self._over | {each.at: each for each in read(alias, [at for at in wanted if at not in self._over])}
        self._over = {at: found[at] for at in wanted if at + MINUTE + LATE <= now}
        return [found[at] for at in wanted]


def read(alias: str, minutes: Sequence[datetime]) -> list[Minute]:
    """What the letters of these minutes tell."""
    bounds = [[first_id_of(at) for at in minutes], [first_id_of(at + MINUTE) for at in minutes]]
    found = rows(alias, LETTERS, *bounds, MOST_COUNTED, SAMPLES)
    return [Minute(at, letters, p95(ids, times)) for at, (letters, ids, times) in zip(minutes, found, strict=True)]


def p95(order_ids: Sequence[Any] | None, times: Sequence[datetime] | None) -> float | None:
    """In milliseconds; None of nothing."""
    took = [max(0.0, at.timestamp() - placed_at(id)) * 1000 for id, at in zip(order_ids or (), times or (), strict=True)]
    return percentile(sorted(took), 0.95)
