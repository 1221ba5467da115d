"""Dead letters as staff see them: to read, to replay and to discard, some at a time. Groups of them are mended at the desk."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from consumers.event_tables import Database, EventTable
from consumers.models import DeadLetter
from consumers.ops import mending
from consumers.routes import ROUTES
from kafka_shop.databases import served_aliases
from kafka_shop.staff import links
from kafka_shop.staff.confirming import Deed, confirmed, confirmed_one
from kafka_shop.staff.exporting import Exported
from kafka_shop.staff.lists import Among, among
from kafka_shop.staff.marks import button, column
from kafka_shop.staff.periods import Period
from kafka_shop.staff.searching import UUID, Searched
from kafka_shop.users.models import User

BADGES = {"open": "danger", "applied": "success", "replayed": "success", "discarded": "info"}


class NotMended(Exception):
    """A dead letter that is as it was."""


def mend(letter: DeadLetter, user: User, reason: str) -> str:
    *older, last = mending.replay_one(letter=letter, user=user, dry_run=False, why=reason)
    if last.state != "replayed":
        raise NotMended(f"{last.state}: {last.reason}")
    return f"Replayed, behind {len(older)} older of its customer" if older else "Replayed"


def bury(letter: DeadLetter, user: User, reason: str) -> str:
    if not mending.discard_one(letter=letter, user=user, why=reason):
        raise NotMended("it is not open any more")
    return "Discarded"


REPLAY = Deed(
    title="Replay",
    warning="Each is applied again, behind the older open ones of its customer. Mend the cause first: what fails again stays open.",
    do=mend,
    refusals=(NotMended,),
    noted=True,
)
DISCARD = Deed(
    title="Discard",
    warning="A discarded message is never applied. Its row stays, with the reason.",
    do=bury,
    refusals=(NotMended,),
    noted=True,
)


class State(Among):
    title = parameter_name = "state"
    values = list(BADGES)

    def condition(self, value: str) -> Q:
        return Q(closed_at=None) if value == "open" else Q(outcome=value)


class OfLetters(Searched):
    """Also by the key, the customer's id, of the open ones: there is no index of the others."""

    def _conditions(self, term: str) -> Iterator[dict[str, Any]]:
        yield from super()._conditions(term)
        if found := UUID.search(term):
            yield {"key": found[0].encode(), "closed_at": None}


@admin.register(DeadLetter)
class DeadLetterAdmin(EventTable, Exported):
    list_display = ["failed_at", "badge", "consumer", "event_type", "order", "reason", "attempts"]
    list_filter = [State, among("consumer", list(ROUTES)), Database, Period]
    ordering = ["-id"]
    unlisted = ["key", "value", "headers"]
    searched = OfLetters(ids=("subject", "id"), texts=("identity",), within={"consumer__in": list(ROUTES)})
    exclude = ["key", "value", "subject"]
    readonly_fields = ["order", "message"]
    actions = ["replay_selected", "discard_selected"]
    actions_detail = ["replay_this", "discard_this"]
    export_fields = (
        "id",
        "consumer",
        "identity",
        "topic",
        "partition",
        "offset",
        "event_type",
        "subject",
        "reason",
        "failed_at",
        "outcome",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Those of the consumers that this process serves: others it could not apply."""
        return super().get_queryset(request).filter(consumer__in=settings.SERVICES)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> DeadLetter | None:
        """One of any database: its page need not say which."""
        letters = self.get_queryset(request).filter(pk=object_id) if UUID.fullmatch(object_id) else DeadLetter.objects.none()
        return next((letter for alias in served_aliases() for letter in letters.using(alias)), None)

    @column("state", badges=BADGES)
    def badge(self, letter: DeadLetter) -> str:
        return letter.state

    @column("order")
    def order(self, letter: DeadLetter) -> str:
        """Its subject, which is an order's id in all events that the shop knows."""
        return links.page("order_trace", letter.subject) if UUID.fullmatch(letter.subject) else letter.subject

    @column("message, as it came")
    def message(self, letter: DeadLetter) -> str:
        return bytes(letter.value or b"").decode(errors="replace")

    def has_replay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(mending.MAY_REPLAY))

    def has_discard_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(mending.MAY_DISCARD))

    @button("Replay", needs="replay")
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        return confirmed(self, request, queryset, REPLAY)

    @button("Discard", needs="discard")
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        return confirmed(self, request, queryset, DISCARD)

    @button("Replay", needs="replay", path="replay", icon="replay")
    def replay_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return confirmed_one(self, request, object_id, REPLAY)

    @button("Discard", needs="discard", path="discard", icon="delete")
    def discard_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return confirmed_one(self, request, object_id, DISCARD)
