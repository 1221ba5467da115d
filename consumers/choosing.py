"""Which dead letters: those that a filter chooses, in the databases of the services that this process serves."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from consumers.models import DeadLetter
from kafka_shop.databases import alias_of, served_aliases

ORDER = ("failed_at", "id")
STATES = ("open", "applied", "replayed", "discarded", "all")


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
    after: DeadLetter | None = None  # only those that come after this one; for one consumer


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
    if last := choice.after:
        found = found.filter(Q(failed_at=last.failed_at, id__gt=last.id) | Q(failed_at__gt=last.failed_at))
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
