"""ops/dead-letters/: what could not be applied, to look at, to replay and to discard. By consumers/replay.py, like the command."""

import base64
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import msgspec
from django_filters import rest_framework as filters
from django_filters.utils import translate_validation
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from consumers.choosing import STATES, Choice, chosen, count
from consumers.models import DeadLetter
from consumers.ops import mending
from consumers.ops.letters_out import DeadLetterOut, ReplayOut, WholeDeadLetterOut
from consumers.ops.mending import MAY_DISCARD, MAY_LOOK, MAY_REPLAY, MOST, discard_one, replay_one, replay_part
from consumers.ops.merged import Merged
from consumers.ops.permissions import OpsViewSet
from consumers.reading import OVER_HTTP
from consumers.replay import MOST_ATTEMPTS, PER_SECOND, Outcome
from consumers.routes import ROUTES
from kafka_shop.api.fields import Flag, Id, Text, WholeNumber
from kafka_shop.api.filters import Filters, TextFilter
from kafka_shop.api.serializers import Strict
from kafka_shop.databases import served_aliases
from kafka_shop.users.models import User

REPLAYED = 100  # in one request, unless it asks for more


class DeadLetterFilter(Filters):
    consumer = filters.ChoiceFilter(choices=[(name, name) for name in ROUTES])
    reason = TextFilter()
    fingerprint = TextFilter()
    subject = TextFilter()
    state = filters.ChoiceFilter(choices=[(state, state) for state in STATES])


class Replay(Strict):
    dry_run = Flag(default=False, help_text="The handler runs, and all that it did is rolled back.")
    why = Text(max_length=500, default="", allow_blank=True, help_text="What was mended; it is kept in the log of the admin.")
    example = {"dry_run": True}


class ReplayMany(Replay):
    consumer = serializers.ChoiceField(choices=list(ROUTES))
    reason = Text(max_length=500, default="", help_text="A part of it.")
    fingerprint = Text(max_length=500, default="")
    subject = Text(max_length=500, default="")
    limit = WholeNumber(min_value=1, max_value=MOST, default=REPLAYED)
    per_second = WholeNumber(min_value=1, max_value=1000, default=PER_SECOND, help_text="So many at most; the answer comes after 5 s.")
    exhausted = Flag(default=False, help_text=f"Also those that have been tried {MOST_ATTEMPTS} times or more.")
    after = Id(default=None, allow_null=True, help_text="Of the answer before: only those that come after it.")
    example = {"consumer": "billing", "fingerprint": "cc61fdc852393246", "dry_run": True}

    def validate_after(self, id: UUID | None) -> DeadLetter | None:
        letter = mending.known(id) if id else None
        if id and not letter:
            raise ValidationError("There is no such dead letter here.", code="unknown")
        return letter


class Discard(Strict):
    reason = Text(max_length=500, help_text="Why; it is kept with the letter.")
    example = {"reason": "a test of the new producer"}


class DeadLetterViewSet(OpsViewSet):
    """Messages that their consumers could not apply."""

    serializer_class = DeadLetterOut
    inputs = {"replay": Replay, "replay_many": ReplayMany, "discard": Discard}
    outputs = {"retrieve": WholeDeadLetterOut, "replay": ReplayOut, "replay_many": ReplayOut}
    filterset_class = DeadLetterFilter
    may_look = MAY_LOOK
    may_act = {"replay": MAY_REPLAY, "replay_many": MAY_REPLAY, "discard": MAY_DISCARD}

    def list(self, request: Request) -> Response:
        """The open ones, newest first, unless `state` asks for others. Without what they carry."""
        asked = DeadLetterFilter(request.query_params, queryset=DeadLetter.objects.none())
        if not asked.is_valid():
            raise translate_validation(asked.errors)
        choice = Choice(**{name: value for name, value in asked.form.cleaned_data.items() if value})
        parts = [chosen(alias=alias, choice=choice).order_by("-id") for alias in served_aliases()]
        page = self.paginate_queryset(Merged(parts))  # type: ignore[arg-type]  # it has what the paginator asks for
        return self.get_paginated_response(DeadLetterOut(page, many=True).data)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """All of one: the message decoded and as it came. It may hold personal data."""
        return Response(WholeDeadLetterOut(whole(known(pk))).data)

    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: UUID) -> Response:
        """Applies it again, behind the older open ones of its customer."""
        letter, body = known(pk), self.body()
        return replayed(replay_one(letter=letter, user=cast(User, request.user), **body), dry_run=body["dry_run"])

    @action(detail=False, methods=["post"], url_path="replay")
    def replay_many(self, request: Request) -> Response:
        """Applies the oldest open ones of a consumer again, `limit` at most, for 5 s at most; with `more` go on `after` the last one.

        Those that have been tried 20 times are left out unless `exhausted` asks for them: a loop that replays all comes to an end.
        """
        body = self.body()
        asked = {name: body[name] for name in ("dry_run", "why", "limit", "per_second")}
        tries = 0 if body["exhausted"] else MOST_ATTEMPTS
        filters = {name: body[name] for name in ("consumer", "reason", "fingerprint", "subject")}
        part = replay_part(choice=Choice(**filters, after=body["after"], attempts_below=tries), user=cast(User, request.user), **asked)
        left = count(choice=Choice(**filters, attempts_below=tries))
        return replayed(part.outcomes, dry_run=asked["dry_run"], left=left, more=part.more, after=part.after and part.after.id)

    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: UUID) -> Response:
        """Closes it for good; the row stays, with the reason. One that is closed already is answered as it is."""
        discard_one(letter=known(pk), user=cast(User, request.user), why=self.body()["reason"])
        return Response(DeadLetterOut(known(pk)).data)


def replayed(results: Sequence[Outcome], **told: Any) -> Response:
    """The answer to a replay."""
    counts = Counter(each.state for each in results)
    return Response(ReplayOut({"left": 0, "more": False, "after": None, **told, "results": results, "counts": counts}).data)


def known(id: UUID) -> DeadLetter:
    """A dead letter of a consumer that this process serves, open or not. Raises NotFound."""
    letter = mending.known(id)
    if letter is None:
        raise NotFound
    return letter


def whole(letter: DeadLetter) -> dict[str, Any]:
    """Everything that is known of one letter; bytes that are no text are shown escaped, and raw in base64."""
    value = None if letter.value is None else bytes(letter.value)
    over_http = letter.partition == OVER_HTTP
    return {
        **DeadLetterOut(letter).data,
        "identity": letter.identity,
        "topic": letter.topic,
        "partition": None if over_http else letter.partition,
        "offset": None if over_http else letter.offset,
        "key": text(letter.key),
        "headers": [{"name": name, "value": content} for name, content in letter.headers],
        "decoded": decoded(value),
        "text": text(value),
        "raw": None if value is None else base64.b64encode(value).decode(),
    }


def text(content: "bytes | memoryview | None") -> str | None:
    return None if content is None else bytes(content).decode(errors="backslashreplace")


def decoded(value: bytes | None) -> Any:
    """The message's JSON; None when it is none."""
    try:
        return msgspec.json.decode(value) if value else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
