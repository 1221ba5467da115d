"""Dead letters whose cause was mended: found, applied again one by one, or discarded. The command, the API and the console call this.

A dead letter is applied after all older open ones of its consumer and key, chosen or not: that keeps the order of a customer's events. When
one of them fails, those behind it stay open.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from consumers.batch import effect
from consumers.dead_letters import LONGEST_REASON, fingerprint, storable
from consumers.failures import Verdict, judge, reason
from consumers.models import DeadLetter
from consumers.reading import OVER_HTTP, Reader
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of, limited_transaction, served_aliases
from kafka_shop.messaging.kafka import Record

log = structlog.get_logger("consumers")

ORDER = ("failed_at", "partition", "offset", "id")
STATES = ("open", "applied", "replayed", "discarded", "all")
ONCE_MORE = {Verdict.AGAIN, Verdict.AGAIN_ONCE}
NOT_ITS_FAULT = {Verdict.AGAIN, Verdict.STOP}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which dead letters; what is empty asks for nothing."""

    ids: Collection[UUID] = ()
    consumer: str = ""
    reason: str = ""  # a part of it, in capitals or not
    fingerprint: str = ""
    subject: str = ""
    state: str = "open"  # one of STATES
    attempts_below: int = 0


class Outcome(NamedTuple):
    """What became of a dead letter that was to be replayed, and why."""

    letter: DeadLetter
    state: Literal["replayed", "failed", "held back", "gone"]  # gone: it is closed
    reason: str = ""


def chosen(*, alias: str, choice: Choice) -> QuerySet[DeadLetter]:
    """The chosen dead letters of one database, of the consumers that this process serves: oldest first, without what they carry."""
    served = [name for name in settings.SERVICES if alias_of(name) == alias and choice.consumer in {"", name}]
    wanted = {
        "id__in": choice.ids,
        "reason__icontains": choice.reason,
        "fingerprint": choice.fingerprint,
        "subject": choice.subject,
        "attempts__lt": choice.attempts_below,
        "outcome": choice.state if choice.state not in {"open", "all"} else "",
    }
    found = DeadLetter.objects.using(alias).filter(consumer__in=served, **{name: value for name, value in wanted.items() if value})
    found = found.filter(closed_at=None) if choice.state == "open" else found
    return found.defer("value", "headers").order_by(*ORDER)


def find(*, choice: Choice, limit: int) -> list[DeadLetter]:
    """The first `limit` of the chosen dead letters of all databases in use."""
    found: list[DeadLetter] = []
    for alias in served_aliases():
        found += chosen(alias=alias, choice=choice)[: limit - len(found)]
    return found


def count(*, choice: Choice) -> int:
    """How many are chosen in all databases in use."""
    return sum(chosen(alias=alias, choice=choice).count() for alias in served_aliases())


def replay(*, letters: Iterable[DeadLetter], clock: Callable[[], datetime], dry_run: bool = False) -> Iterator[Outcome]:
    """Applies open dead letters, each in a transaction of its own, and says of each what became of it.

    Only the letter's own consumer gets the event; the facts that follow go to the outbox. A try is counted before it is made; one that
    fails leaves the letter open with its newest reason. dry_run: the handler runs, all it did is rolled back, and no try is counted.
    Raises database errors that are not the letter's fault.
    """
    stuck: dict[tuple[str, bytes], UUID] = {}
    for letter in in_order(letters):
        line = letter.consumer, bytes(letter.key or b"")
        if line in stuck:
            yield Outcome(letter, "held back", f"dead letter {stuck[line]} of the same key is older and still open")
            continue
        outcome = attempt(letter, clock, dry_run)
        log.info("replay", id=str(letter.id), consumer=letter.consumer, state=outcome.state, reason=outcome.reason, dry_run=dry_run)
        if outcome.state == "failed" and letter.key:
            stuck[line] = letter.id
        yield outcome


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
    line = list(same.filter(failed_at__lte=letter.failed_at).defer("value", "headers").order_by(*ORDER))
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
