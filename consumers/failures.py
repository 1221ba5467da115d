"""What an error means for a batch: pure decisions by SQLSTATE (PostgreSQL, appendix A) and by the client's error."""

from enum import Enum

from django.db import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from kafka_shop.errors import reason as reason
from kafka_shop.errors import sqlstate as sqlstate
from kafka_shop.messaging.kafka import BrokerAway

TRANSIENT = {"08", "25", "40", "53", "55", "57", "58"}  # connection, transaction state, rollback, resources, locks, operator, system
DEPLOYMENT = {"28", "3D", "3F", "42", "XX"}  # password, database, schema, undefined objects, internal
LOST_RACE = {"23505", "23503"}  # unique, foreign key: somebody else was first
CANCELED = "57014"  # statement time-out


class Fenced(Exception):
    """A partition's progress row has another owner or position: what was read is not ours to apply."""


class Verdict(Enum):
    """What to do with a batch that failed."""

    AGAIN = "again"  # after a pause, without counting an attempt
    AGAIN_ONCE = "again once"  # as a whole, then as poison
    BISECT = "bisect"  # as poison; a lone message is tried again without counting
    POISON = "poison"  # in halves; a lone message has its attempts counted
    CLAIM = "claim"  # drop what was read and claim the partitions anew
    STOP = "stop"  # the deployment is wrong: write nothing


def judge(error: Exception) -> Verdict:  # noqa: PLR0911  a table reads best as one
    """What a batch's error means."""
    code = sqlstate(error)
    if isinstance(error, Fenced):
        return Verdict.CLAIM
    if code == CANCELED:
        return Verdict.BISECT
    if code in LOST_RACE:
        return Verdict.AGAIN_ONCE
    if code[:2] in DEPLOYMENT:
        return Verdict.STOP
    if code[:2] in TRANSIENT or isinstance(error, (BrokerAway, PoolTimeout, InterfaceError)):
        return Verdict.AGAIN
    if isinstance(error, OperationalError) and not code:
        return Verdict.AGAIN  # the connection broke before PostgreSQL could say why
    return Verdict.POISON


def backoff_seconds(attempt: int, *, first_ms: int, longest_ms: int, jitter: float) -> float:
    """The pause before attempt `attempt` (1, 2, …): doubling from first_ms to longest_ms, times 0.5 to 1 by `jitter` (0 to 1)."""
    return min(longest_ms, first_ms * 2.0 ** min(attempt - 1, 30)) * (0.5 + 0.5 * jitter) / 1000
