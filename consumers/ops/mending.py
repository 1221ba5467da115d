"""Staff replay and discard dead letters, noted in the admin's log. The API and the console call this.

What would take long is done in parts: each ends after a time, and says where the next one begins.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple
from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import OperationalError
from django.utils import timezone

from consumers.choosing import Choice, chosen, find
from consumers.models import DeadLetter
from consumers.ops.asking import Databases
from consumers.replay import PER_SECOND, TRIED, Outcome, discard, paced, replay
from kafka_shop.databases import served_aliases
from kafka_shop.users.models import User

MAY_LOOK, MAY_REPLAY, MAY_DISCARD = (f"consumers.{action}_deadletter" for action in ("view", "replay", "discard"))
SECONDS = 5.0  # after which a part begins no other letter
MOST = 1000  # letters of a part


class Part(NamedTuple):
    """What a part has done, whether there is more to do, and the letter after which that begins; None: from the beginning."""

    outcomes: list[Outcome]
    more: bool
    after: DeadLetter | None


def known(id: UUID) -> DeadLetter | None:
    """A dead letter of a consumer that this process serves, open or not. Raises OperationalError when an absent database may have it."""
    databases = Databases()
    choice = Choice(ids=[id], state="all")
    answers = [databases.told(lambda alias: list(chosen(alias=alias, choice=choice)), alias) for alias in served_aliases()]
    letter = next((letter for answer in answers for letter in answer or []), None)
    if letter is None and None in answers:
        raise OperationalError("a database does not answer")
    return letter


def replay_one(*, letter: DeadLetter, user: User, dry_run: bool, why: str = "") -> list[Outcome]:
    """Applies it again behind the older open ones of its customer, however often it was tried."""
    return list(_noted(replay(letters=[letter], clock=timezone.now, dry_run=dry_run), user, dry_run, why))


def replay_part(*, choice: Choice, user: User, dry_run: bool, limit: int = MOST, per_second: float = PER_SECOND, why: str = "") -> Part:
    """Applies the first `limit` of the chosen ones of a consumer, or as many as there is time for. Raises database errors."""
    letters = find(choice=choice, limit=limit)
    outcomes = replay(letters=letters, clock=timezone.now, dry_run=dry_run, attempts_below=choice.attempts_below)
    return _part(choice, letters, limit, paced(_noted(outcomes, user, dry_run, why), per_second))


def discard_one(*, letter: DeadLetter, user: User, why: str) -> bool:
    """Closes it for good; returns whether it was open."""
    closed = bool(discard(letters=[letter], why=why, now=timezone.now()))
    if closed:
        _note(letter, user, "Discarded", why)
    return closed


def discard_part(*, choice: Choice, user: User, why: str, limit: int = MOST) -> Part:
    """Closes the first `limit` of the chosen ones of a consumer, or as many as there is time for. Raises database errors."""
    letters = find(choice=choice, limit=limit)
    outcomes = (Outcome(each, "discarded" if discard_one(letter=each, user=user, why=why) else "gone") for each in letters)
    return _part(choice, letters, limit, outcomes)


def _part(choice: Choice, letters: Sequence[DeadLetter], limit: int, outcomes: Iterable[Outcome]) -> Part:
    """Does as much as there is time for."""
    found = list(_in_time(outcomes, letters))
    done = {each.letter.id for each in found}
    behind = list(takewhile(lambda letter: letter.id in done, letters))
    new = [each for each in found if each.state in TRIED or not _passed(each.letter, choice.after)]
    return Part(new, len(behind) < len(letters) or len(letters) == limit, behind[-1] if behind else choice.after)


def _passed(letter: DeadLetter, after: DeadLetter | None) -> bool:
    """Whether a part before has told of it."""
    return after is not None and (letter.failed_at, letter.id) <= (after.failed_at, after.id)


def _in_time(outcomes: Iterable[Outcome], letters: Sequence[DeadLetter]) -> Iterator[Outcome]:
    """What is done until the time is over, and in any case as much as brings the run further."""
    deadline, wanted, further = time.monotonic() + SECONDS, {letter.id for letter in letters}, False
    for outcome in outcomes:
        yield outcome
        further = further or outcome.state == "replayed" or outcome.letter.id in wanted
        if further and time.monotonic() > deadline:
            return


def _noted(outcomes: Iterable[Outcome], user: User, dry_run: bool, why: str) -> Iterator[Outcome]:
    """What is done is noted at once: a database that goes away meanwhile takes no note with it."""
    for outcome in outcomes:
        if not dry_run and outcome.state in TRIED:
            _note(outcome.letter, user, f"Replay: {outcome.state}", why)
        yield outcome


def _note(letter: DeadLetter, user: User, what: str, why: str) -> None:
    """Writes the admin's log."""
    said = f"{what}, because {why}" if why else what
    LogEntry.objects.log_actions(user.pk, [letter], CHANGE, f"{said}.", single_object=True)
