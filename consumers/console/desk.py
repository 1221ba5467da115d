"""The desk of dead letters: what failed alike in groups, the letters of a filter, and one of them, decoded and raw."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from consumers.choosing import Choice, chosen
from consumers.console import mend
from consumers.console.pages import absent, of_all, page
from consumers.console.selection import Filters, query
from consumers.console.waterfall import chapters
from consumers.models import DeadLetter
from consumers.ops import figures
from consumers.ops.asking import Databases
from consumers.ops.finding import IDENTIFIER
from consumers.ops.letters import decoded, text
from consumers.ops.mending import MAY_DISCARD, MAY_LOOK, MAY_REPLAY, known
from consumers.ops.story import Story, story
from consumers.reading import OVER_HTTP
from kafka_shop.databases import served_aliases

ON_A_PAGE = 50
SHOWN_BYTES = 64 * 1024  # of a message, as text
DUMPED_BYTES, LINE_BYTES = 4096, 16  # of a message, in hexadecimal digits


class Found(NamedTuple):
    """A page of letters, newest first, whether there are older ones, and the databases that do not answer."""

    letters: list[DeadLetter]
    more: bool
    away: list[str]


@require_safe
@permission_required(MAY_LOOK, raise_exception=True)
def desk(request: HttpRequest) -> HttpResponseBase:
    """The groups of the open ones, and the letters that the filters of the address choose."""
    filters = Filters(request.GET, label_suffix="")
    valid = filters.is_valid()
    asked = filters.cleaned_data if valid else {}
    found = letters(filters.choice(), asked["before"]) if valid else Found([], False, [])
    narrow = {name: value for name, value in asked.items() if value and name != "before"}
    return page(
        request,
        "desk.html",
        status=200 if valid else 400,
        title="Dead letters",
        filters=filters,
        groups=[] if narrow else groups(),
        most=figures.MOST,
        found=found,
        narrow=narrow,
        older=urlencode({**narrow, "before": found.letters[-1].id}) if found.more else "",
        query=query(asked) if asked.get("consumer") and asked["state"] in {"", "open"} else "",
        now=timezone.now(),
        **rights(request),
    )


def of_letter(view: Callable[[HttpRequest, DeadLetter], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view of the letter that its address names, for those who may look; 404 in words when there is none."""

    @require_safe
    @permission_required(MAY_LOOK, raise_exception=True)
    def found(request: HttpRequest, id: UUID) -> HttpResponseBase:
        letter = known(id)
        return view(request, letter) if letter else absent(request, id)

    return found


@of_letter
def dead_letter(request: HttpRequest, letter: DeadLetter) -> HttpResponseBase:
    """One of them: why it failed, what it holds, and what else happened to its order."""
    value = bytes(letter.value or b"")
    order = story(UUID(letter.subject)) if IDENTIFIER.fullmatch(letter.subject) else None
    return page(
        request,
        "letter.html",
        title="Dead letter",
        letter=letter,
        over_http=letter.partition == OVER_HTTP,
        key=text(letter.key),
        pretty=pretty(value),
        plain=(text(value) or "")[:SHOWN_BYTES],
        dump=list(dump(value[:DUMPED_BYTES])),
        size=len(value),
        dumped=DUMPED_BYTES,
        order=order,
        chapters=chapters_of(order, timezone.now()),
        query=query({"id": letter.id}),
        now=timezone.now(),
        **rights(request),
    )


@of_letter
def raw(request: HttpRequest, letter: DeadLetter) -> HttpResponseBase:
    """The message's value, as it came."""
    disposition = {"Content-Disposition": f'attachment; filename="dead-letter-{letter.id}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(bytes(letter.value or b""), content_type="application/octet-stream", headers=disposition)


def letters(choice: Choice, before: UUID | None) -> Found:
    """A page of all databases in use, as far as they answer."""
    databases = Databases()

    def some(alias: str) -> list[DeadLetter]:
        rows = chosen(alias=alias, choice=choice).order_by("-id")
        return list((rows.filter(id__lt=before) if before else rows)[: ON_A_PAGE + 1])

    answers = {alias: databases.told(some, alias) for alias in served_aliases()}
    rows = sorted((row for answer in answers.values() for row in answer or []), key=lambda row: row.id, reverse=True)
    return Found(rows[:ON_A_PAGE], len(rows) > ON_A_PAGE, [alias for alias, answer in answers.items() if answer is None])


def groups() -> list[dict[str, Any]]:
    """The open ones that failed alike, the most frequent first."""
    databases = Databases()
    answers = [databases.told(figures.open_dead_letters, alias, settings.SERVICES) for alias in served_aliases()]
    found = [group for answer in answers for group in answer or []]
    return sorted(map(of_all, found), key=lambda group: group["count"], reverse=True)


def rights(request: HttpRequest) -> dict[str, bool]:
    return {"may_replay": request.user.has_perm(MAY_REPLAY), "may_discard": request.user.has_perm(MAY_DISCARD)}


def chapters_of(order: Story | None, now: datetime) -> list[Any]:
    return chapters(order.facts, order.stored, now) if order else []


def pretty(value: bytes) -> str:
    """The message's JSON, indented; "" when it is none."""
    found = decoded(value)
    return "" if found is None else json.dumps(found, indent=2, ensure_ascii=False)[:SHOWN_BYTES]


def dump(value: bytes) -> Iterator[str]:
    """Lines of offset, bytes in hexadecimal digits, and what of them is text."""
    for start in range(0, len(value), LINE_BYTES):
        part = value[start : start + LINE_BYTES]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{start:06x}  {part.hex(' '):<{LINE_BYTES * 3}} {shown}"


urlpatterns = [
    path("console/dead-letters/", desk, name="dead_letter_desk"),
    path("console/dead-letters/replay/", mend.replay, name="replay_dead_letters"),
    path("console/dead-letters/discard/", mend.discard, name="discard_dead_letters"),
    path("console/dead-letters/<uuid:id>/", dead_letter, name="dead_letter"),
    path("console/dead-letters/<uuid:id>/raw/", raw, name="dead_letter_raw"),
]
