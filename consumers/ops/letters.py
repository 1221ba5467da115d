"""ops/dead-letters/: what could not be applied, to look at, to replay and to discard. By consumers/replay.py, like the command."""

import base64
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.utils import translate_validation
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from consumers.models import DeadLetter
from consumers.ops.letters_out import DeadLetterOut, ReplayOut, WholeDeadLetterOut
from consumers.ops.merged import Merged
from consumers.ops.permissions import OpsViewSet
from consumers.replay import STATES, Choice, Outcome, chosen, count, discard, find, replay
from consumers.routes import ROUTES
from kafka_shop.api.fields import Flag, Text, WholeNumber
from kafka_shop.api.filters import Filters, TextFilter
from kafka_shop.api.serializers import Strict
from kafka_shop.databases import served_aliases

MOST_ATTEMPTS = 20  # a letter that has failed so often is replayed by its id only: a loop that replays all must come to an end
MOST_REPLAYED, REPLAYED = 1000, 100  # in one request


class DeadLetterFilter(Filters):
    consumer = filters.ChoiceFilter(choices=[(name, name) for name in ROUTES])
    reason = TextFilter()
    fingerprint = TextFilter()
    subject = TextFilter()
    state = filters.ChoiceFilter(choices=[(state, state) for state in STATES])


class Replay(Strict):
    dry_run = Flag(default=False, help_text="The handler runs, and all that it did is rolled back.")
    example = {"dry_run": True}


class ReplayMany(Replay):
    consumer = serializers.ChoiceField(choices=list(ROUTES))
    reason = Text(max_length=500, default="", help_text="A part of it.")
    fingerprint = Text(max_length=500, default="")
    subject = Text(max_length=500, default="")
    limit = WholeNumber(min_value=1, max_value=MOST_REPLAYED, default=REPLAYED)
    example = {"consumer": "billing", "fingerprint": "cc61fdc852393246", "dry_run": True}


class Discard(Strict):
    reason = Text(max_length=500, help_text="Why; it is kept with the letter.")
    example = {"reason": "a test of the new producer"}


class DeadLetterViewSet(OpsViewSet):
    """Messages that their consumers could not apply."""

    serializer_class = DeadLetterOut
    inputs = {"replay": Replay, "replay_many": ReplayMany, "discard": Discard}
    outputs = {"retrieve": WholeDeadLetterOut, "replay": ReplayOut, "replay_many": ReplayOut}
    filterset_class = DeadLetterFilter
    may_look, may_act = "consumers.view_deadletter", "consumers.change_deadletter"

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
        return self.replayed([known(pk)], dry_run=self.body()["dry_run"])

    @action(detail=False, methods=["post"], url_path="replay")
    def replay_many(self, request: Request) -> Response:
        """Applies the oldest open ones of a consumer again, `limit` at most; those that failed 20 times only by their ids."""
        body = self.body()
        dry_run, limit = body.pop("dry_run"), body.pop("limit")
        choice = Choice(**body, attempts_below=MOST_ATTEMPTS)
        return self.replayed(find(choice=choice, limit=limit), dry_run=dry_run, left=choice)

    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: UUID) -> Response:
        """Closes it for good; the row stays, with the reason. One that is closed already is answered as it is."""
        letter = known(pk)
        if discard(letters=[letter], why=self.body()["reason"], now=timezone.now()):
            self.note(letter, "Discarded.")
        return Response(DeadLetterOut(known(pk)).data)

    def replayed(self, letters: Iterable[DeadLetter], *, dry_run: bool, left: Choice | None = None) -> Response:
        """The answer to a replay. What is done is noted at once: a database that goes away meanwhile takes no note with it."""
        results: list[Outcome] = []
        for outcome in replay(letters=letters, clock=timezone.now, dry_run=dry_run):
            results.append(outcome)
            if not dry_run:
                self.note(outcome.letter, f"Replay: {outcome.state}.")
        counts = Counter(each.state for each in results)
        open_now = count(choice=left) if left else 0
        return Response(ReplayOut({"dry_run": dry_run, "results": results, "counts": counts, "left": open_now}).data)

    def note(self, letter: DeadLetter, what: str) -> None:
        """Writes the admin's log."""
        LogEntry.objects.log_actions(self.customer, [letter], CHANGE, what, single_object=True)


def known(id: UUID) -> DeadLetter:
    """A dead letter of a consumer that this process serves, open or not. Raises NotFound."""
    found = find(choice=Choice(ids=[id], state="all"), limit=1)
    if not found:
        raise NotFound
    return found[0]


def whole(letter: DeadLetter) -> dict[str, Any]:
    """Everything that is known of one letter; bytes that are no text are shown escaped, and raw in base64."""
    value = None if letter.value is None else bytes(letter.value)
    return {
        **DeadLetterOut(letter).data,
        "identity": letter.identity,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
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
