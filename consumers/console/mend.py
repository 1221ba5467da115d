"""Replaying and discarding dead letters, with a page before that says what will happen, and one after each part that says what did.

A part ends after some seconds; the page then leads to the next one, which begins where this one ended.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_http_methods

from consumers.choosing import Choice, count
from consumers.console.pages import absent, page
from consumers.console.selection import Deed, Discard, Replay, Selection, filters_of, query
from consumers.models import DeadLetter
from consumers.ops.mending import MAY_DISCARD, MAY_LOOK, MAY_REPLAY, Part, discard_one, discard_part, known, replay_one, replay_part
from consumers.replay import MOST_ATTEMPTS, Outcome
from kafka_shop.users.models import User

LISTED = 100  # outcomes of a part that are shown one by one


class Task(NamedTuple):
    """What somebody asks for."""

    choice: Choice
    user: User
    dry_run: bool
    asked: dict[str, Any]


class Kind(NamedTuple):
    """One of the two ways to mend."""

    verb: str
    form: type[Deed]
    one: Callable[[Task, DeadLetter], Part]
    many: Callable[[Task], Part]


def replayed_one(it: Task, letter: DeadLetter) -> Part:
    return Part(replay_one(letter=letter, user=it.user, dry_run=it.dry_run, why=it.asked["why"]), False, None)


def replayed_many(it: Task) -> Part:
    return replay_part(choice=it.choice, user=it.user, dry_run=it.dry_run, per_second=it.asked["per_second"], why=it.asked["why"])


def discarded_one(it: Task, letter: DeadLetter) -> Part:
    closed = discard_one(letter=letter, user=it.user, why=it.asked["why"])
    return Part([Outcome(letter, "discarded" if closed else "gone")], False, None)


def discarded_many(it: Task) -> Part:
    return discard_part(choice=it.choice, user=it.user, why=it.asked["why"])


REPLAY = Kind("Replay", Replay, replayed_one, replayed_many)
DISCARD = Kind("Discard", Discard, discarded_one, discarded_many)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(MAY_REPLAY, raise_exception=True)
def replay(request: HttpRequest) -> HttpResponseBase:
    """Asks, tries, and does it."""
    return mended(request, REPLAY)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(MAY_DISCARD, raise_exception=True)
def discard(request: HttpRequest) -> HttpResponseBase:
    """Asks, and does it."""
    return mended(request, DISCARD)


def mended(request: HttpRequest, kind: Kind) -> HttpResponseBase:
    """The page before (GET), or after a part (POST)."""
    posted = request.method == "POST"
    selection = Selection(request.POST if posted else request.GET)
    if not selection.is_valid():
        return page(request, "mend.html", status=400, title=kind.verb, verb=kind.verb, troubles=selection.errors.values())
    chosen = selection.cleaned_data
    letter = known(chosen["id"]) if chosen["id"] else None
    if chosen["id"] and letter is None:
        return absent(request, chosen["id"])
    form = kind.form(request.POST, label_suffix="") if posted else kind.form(initial=request.GET.dict(), label_suffix="")
    if not posted or not form.is_valid():
        return shown(request, kind, form, letter, chosen, status=400 if posted else 200)
    choice = choice_of(form.cleaned_data, kind)
    it = Task(choice, cast(User, request.user), "dry_run" in request.POST, form.cleaned_data)
    return done(request, kind, it, letter, kind.one(it, letter) if letter else kind.many(it))


def choice_of(asked: dict[str, Any], kind: Kind) -> Choice:
    """The open ones; those that were tried too often are not replayed unless they are asked for."""
    after = known(asked["after"]) if asked.get("after") else None
    guarded = kind is REPLAY and not asked.get("exhausted")
    return Choice(**filters_of(asked), after=after, attempts_below=MOST_ATTEMPTS if guarded else 0)


def shown(
    request: HttpRequest, kind: Kind, form: Deed, letter: DeadLetter | None, asked: dict[str, Any], **context: Any
) -> HttpResponseBase:
    """The page, with the form for what comes next."""
    choice = Choice(**filters_of(asked))
    waiting = 0 if letter else count(choice=choice)
    worn = waiting - count(choice=replace(choice, attempts_below=MOST_ATTEMPTS)) if kind is REPLAY and waiting else 0
    return page(
        request,
        "mend.html",
        title=f"{kind.verb} dead letters",
        verb=kind.verb,
        form=form,
        letter=letter,
        filters=filters_of(asked),
        waiting=waiting,
        worn=worn,
        most_attempts=MOST_ATTEMPTS,
        dry=kind is REPLAY,
        query=query(asked),
        may_look=request.user.has_perm(MAY_LOOK),
        **context,
    )


def done(request: HttpRequest, kind: Kind, it: Task, letter: DeadLetter | None, part: Part) -> HttpResponseBase:
    """The page after a part."""
    goes_on = part.more and not it.dry_run
    left = count(choice=replace(it.choice, after=part.after)) if goes_on else 0
    total = it.asked["total"] or left + len(part.outcomes)
    form = kind.form(initial={**it.asked, "total": total, "after": part.after and part.after.id} if goes_on else it.asked, label_suffix="")
    return shown(
        request,
        kind,
        form,
        letter,
        it.asked,
        tried=it.dry_run,
        outcomes=part.outcomes[:LISTED],
        unlisted=len(part.outcomes) - LISTED,
        counts=Counter(each.state for each in part.outcomes).items(),
        more=goes_on,
        left=left,
        total=total,
        progress=total - left,
        shown=len(part.outcomes),
        clean=all(each.state in {"replayed", "discarded"} for each in part.outcomes),
        finished=not it.dry_run and not goes_on,
    )
