"""Dead letters whose cause was mended: applied again one by one, or discarded. The command, the API and the console call this.

A dead letter is applied after all older open ones of its consumer and key, chosen or not: that keeps the order of a customer's events. When
one of them fails, those behind it stay open.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, QuerySet

from consumers.batch import effect
from consumers.dead_letters import LONGEST_REASON, fingerprint, storable
from consumers.failures import Verdict, judge, reason
from consumers.models import DeadLetter
from consumers.reading import OVER_HTTP, Reader
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of, limited_transaction
from kafka_shop.messaging.kafka import Record

log = structlog.get_logger("consumers")

ORDER_OF_KEY = ("failed_at", "partition", "offset", "id")
MOST_ATTEMPTS = 20  # what has been tried so often is left out unless it is asked for: a loop that replays all comes to an end
PER_SECOND = 100  # letters, at most
ONCE_MORE = {Verdict.AGAIN, Verdict.AGAIN_ONCE}
TRIED, STILL_OPEN = {"replayed", "failed"}, {"failed", "left out"}
NOT_ITS_FAULT = {Verdict.AGAIN, Verdict.STOP}


class Outcome(NamedTuple):
    """What became of a dead letter that was to be mended, and why."""

    letter: DeadLetter
    state: Literal["replayed", "discarded", "failed", "held back", "left out", "gone"]  # left out: tried too often; gone: it is closed
    reason: str = ""


def replay(
    *, letters: Iterable[DeadLetter], clock: Callable[[], datetime], dry_run: bool = False, attempts_below: int = 0
) -> Iterator[Outcome]:
    """Applies open dead letters, each in a transaction of its own, and says of each what became of it.

    Only the letter's own consumer gets the event; the facts that follow go to the outbox. A try is counted before it is made; one that
    fails leaves the letter open with its newest reason. dry_run: the handler runs, all it did is rolled back, and no try is counted.
    attempts_below: what has been tried so often is left out, also where it is older than what was chosen; 0: nothing is.
    Raises database errors that are not the letter's fault.
    """
    stuck: dict[tuple[str, bytes], UUID] = {}
    for letter in in_order(letters):
        line = letter.consumer, bytes(letter.key or b"")
        if line in stuck:
            yield Outcome(letter, "held back", f"dead letter {stuck[line]} of the same key is older and still open")
            continue
        if attempts_below and letter.attempts >= attempts_below:
            outcome = Outcome(letter, "left out", f"it has been tried {letter.attempts} times, last: {letter.reason}")
        else:
            outcome = attempt(letter, clock, dry_run)
        log.info("replay", id=str(letter.id), consumer=letter.consumer, state=outcome.state, reason=outcome.reason, dry_run=dry_run)
        if outcome.state in STILL_OPEN and letter.key:
            stuck[line] = letter.id
        yield outcome


def paced(outcomes: Iterable[Outcome], per_second: float, sleep: Callable[[float], object] = time.sleep) -> Iterator[Outcome]:
    """So many tries a second at most: what follows from a flood of replays is as quick as that for everybody behind."""
    begun, tried = time.monotonic(), 0
    for outcome in outcomes:
        yield outcome
        tried += outcome.state in TRIED
        sleep(max(0.0, begun + tried / per_second - time.monotonic()))


def discard(*, letters: Iterable[DeadLetter], why: str, now: datetime) -> int:
    """Closes open dead letters for good, and returns how many. The rows stay, with the reason."""
    closed = {"closed_at": now, "outcome": "discarded", "closed_because": storable(why)}
    return sum(open_row(letter).update(**closed) for letter in letters)


def in_order(letters: Iterable[DeadLetter]) -> Iterator[DeadLetter]:
    """Each letter once, behind the older open ones of its consumer and key."""
    seen: set[UUID] = set()
    for letter in letters:
        for each in (*older(letter), letter):
            if each.id not in seen:
                seen.add(each.id)
                yield each


def older(letter: DeadLetter) -> list[DeadLetter]:
    """The open dead letters of the same consumer and key that failed before this one."""
    if not letter.key:
        return []
    same = DeadLetter.objects.using(alias_of(letter.consumer)).filter(closed_at=None, consumer=letter.consumer, key=letter.key)
    line = list(same.filter(failed_at__lte=letter.failed_at).defer("value", "headers").order_by(*ORDER_OF_KEY))
    return line[: line.index(letter)] if letter in line else []


def attempt(letter: DeadLetter, clock: Callable[[], datetime], dry_run: bool) -> Outcome:
    """Tries one letter. The try is counted first, so that one that kills the process counts too."""
    if not dry_run:
        open_row(letter).update(attempts=F("attempts") + 1)
    try:
        refusal = once_more(lambda: apply(letter, clock(), dry_run))
    except DeadLetter.DoesNotExist:
        return Outcome(letter, "gone", "it is not open any more")
    except Exception as error:
        if judge(error) in NOT_ITS_FAULT:
            raise
        refusal = reason(error)
    if not refusal:
        return Outcome(letter, "replayed")
    newest = storable(refusal)[:LONGEST_REASON]
    if not dry_run:
        open_row(letter).update(reason=newest, fingerprint=fingerprint(newest, letter.event_type))
    return Outcome(letter, "failed", newest)


def once_more(work: Callable[[], str]) -> str:
    """Does it again when it only lost a race or a connection."""
    try:
        return work()
    except Exception as error:
        if judge(error) not in ONCE_MORE:
            raise
        return work()


def apply(letter: DeadLetter, now: datetime, dry_run: bool) -> str:
    """Runs the handler of the letter's consumer and closes the letter, in one transaction. Returns why it cannot be applied, or "".

    Raises DeadLetter.DoesNotExist when it is closed, and what the handler raises.
    """
    alias, route = alias_of(letter.consumer), ROUTES[letter.consumer]
    with limited_transaction(alias):
        locked = open_row(letter).select_for_update().get()
        item = Reader({kind.type: kind for kind in route.handlers}).read(record_of(locked))
        if item.event is None or item.refusal:
            return item.refusal or f"{letter.consumer} takes no events of this type"
        effect(route.handlers[type(item.event)], [item], alias, now)
        open_row(letter).update(closed_at=now, outcome="replayed")
        if dry_run:
            transaction.set_rollback(True, using=alias)
    return ""


def open_row(letter: DeadLetter) -> QuerySet[DeadLetter]:
    """The letter's row, as long as it is open."""
    return DeadLetter.objects.using(alias_of(letter.consumer)).filter(id=letter.id, closed_at=None)


def record_of(letter: DeadLetter) -> Record:
    """The message as it came. Its time in the log is not known any more."""
    partition = OVER_HTTP if letter.partition is None else letter.partition
    headers = [(name, text.replace("\ufffd", "\0").encode("latin-1")) for name, text in letter.headers]  # it stood for a NUL
    value = None if letter.value is None else bytes(letter.value)
    return Record(letter.topic, partition, letter.offset or 0, 0, None if letter.key is None else bytes(letter.key), headers, value)
