"""Looks for rows on behalf of the couriers of one database who rest, for the price of one number."""

import time
from collections.abc import Sequence
from datetime import datetime

from kafka_shop.databases import columns, rows
from kafka_shop.messaging.relay import Courier

CLOSELY_SECONDS = 0.01  # from a row's number being drawn to its commit, as a rule
LONGEST_SECONDS = 0.1  # between two looks at the rows themselves: some commit late, others were postponed

DRAWN = "SELECT last_value, is_called FROM messaging_outboxrow_number_seq"
CALLED = """
SELECT look.destination FROM unnest(%s::text[], %s::bigint[]) AS look(destination, hint), LATERAL (
    SELECT FROM messaging_outboxrow AS o
    WHERE o.destination = look.destination AND o.refused = '' AND (o.resent, o.number) > (false, look.hint)
    AND (o.not_before IS NULL OR o.not_before <= %s)
    ORDER BY o.resent, o.number LIMIT 1
) AS waiting
"""


class Lookout:
    """Reads the last number that a row was given, a tenth of the work of a look at the rows, and looks at them when it is another one.

    A number is drawn before its row is committed: the rows are looked at until some are found, and once more a while later.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._drawn: tuple[int, bool] | None = None
        self._closely_until, self._look_at = 0.0, 0.0

    def look(self, resting: Sequence[Courier], now: datetime) -> list[Courier]:
        """Those of the resting couriers for whom there are rows above their hint."""
        moment, [drawn] = time.monotonic(), rows(self._alias, DRAWN)
        if drawn != self._drawn:
            self._drawn, self._closely_until = drawn, moment + CLOSELY_SECONDS
        if not self.expectant and moment < self._look_at:
            return []
        found = called(resting, now)
        self._look_at = moment + (CLOSELY_SECONDS if self.expectant else LONGEST_SECONDS)
        if found:
            self._closely_until = 0.0
        return found

    @property
    def expectant(self) -> bool:
        """Whether a row was given its number a moment ago, and not seen yet."""
        return time.monotonic() < self._closely_until


def called(couriers: Sequence[Courier], now: datetime) -> list[Courier]:
    """Those of one database's couriers for whom there are rows above their hint, by one question for all of them."""
    if not couriers:
        return []
    hints = columns([(courier.destination, courier.hint) for courier in couriers], 2)
    waiting = {destination for (destination,) in rows(couriers[0].alias, CALLED, *hints, now)}
    return [courier for courier in couriers if courier.destination in waiting]
