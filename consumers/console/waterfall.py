"""The waterfall of an order: for each step where its event waited, and how long it was worked on. Pure.

An order's story has chapters: what its customer does begins one (placing, paying, cancelling), and what follows from that belongs to it.
Each has a scale of its own, so that an order that is cancelled after a week still shows the milliseconds of its first second.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from consumers.ops.stored import Stored
from consumers.ops.trace import STEPS, Fact, state

LEAST_WIDTH = 0.6  # of a bar, in percent: less cannot be seen
WORDS = {
    "accepted": "the answer to its customer",
    "outbox": "in the outbox",
    "log": "in the log",
    "waiting": "waiting",  # in the outbox or in the log
    "working": "working",
    "open": "waiting so far",
    "dead": "dead letter",
}
CHAPTERS = {"order.placed": "Placed", "order.cancelled": "Cancelled by its customer", "invoice.settled": "Paid by its customer"}


class Span(NamedTuple):
    """A stretch of a step, of one of the kinds of WORDS."""

    kind: str
    begin: datetime
    end: datetime

    @property
    def ms(self) -> float:
        return max(0.0, (self.end - self.begin).total_seconds() * 1000)

    @property
    def words(self) -> str:
        return WORDS[self.kind]


class Bar(NamedTuple):
    """A span on its chapter's scale, in percent."""

    span: Span
    x: float
    width: float


class Step(NamedTuple):
    """One line of the waterfall."""

    what: str
    service: str
    state: str  # as in ops.trace.STATES
    at: datetime | None  # when it was done
    spans: tuple[Span, ...]


class Chapter(NamedTuple):
    """What followed from one act."""

    title: str
    begin: datetime
    end: datetime
    lines: list[tuple[Step, list[Bar]]]

    @property
    def ms(self) -> float:
        return Span("", self.begin, self.end).ms

    @property
    def lasts(self) -> bool:
        return "open" in self.kinds

    @property
    def legend(self) -> list[tuple[str, str]]:
        """The kinds of spans that occur, with their words."""
        return [(kind, words) for kind, words in WORDS.items() if kind in self.kinds]

    @property
    def kinds(self) -> set[str]:
        return {each.kind for step, _ in self.lines for each in step.spans}


def chapters(told: Sequence[Fact], stored: Stored, now: datetime) -> list[Chapter]:
    """The whole story. What is not done yet lasts until `now`."""
    made = {fact.applied_at: worked(fact) for fact in told if fact.applied_at}
    grouped: dict[datetime, list[Fact]] = {}
    for fact in told:
        grouped.setdefault(root(fact, told), []).append(fact)
    return [chapter(begin, grouped[begin], stored, made, now) for begin in sorted(grouped)]


def root(fact: Fact, told: Sequence[Fact]) -> datetime:
    """When the act was from which a fact follows: a fact that was made as another was applied follows from that."""
    causes = {each.applied_at: begun(each) for each in told if each.applied_at and begun(each) < each.applied_at}
    begin = begun(fact)
    while begin in causes:
        begin = causes[begin]
    return begin


def begun(fact: Fact) -> datetime:
    """The first that is known of a fact."""
    return cast(datetime, fact.at or fact.published_at or fact.applied_at)  # ops.trace tells of none without all three


def worked(fact: Fact) -> datetime:
    """Until when its reader is known to have worked on a fact that it has applied."""
    return cast(datetime, fact.applied_at) + timedelta(milliseconds=fact.working_ms or 0)


def chapter(begin: datetime, facts: Sequence[Fact], stored: Stored, made: dict[Any, datetime], now: datetime) -> Chapter:
    steps = [step for fact in facts for step in steps_of(fact, stored, made, now)]
    ends = [each.end for step in steps for each in step.spans] + [step.at for step in steps if step.at]
    end = max([begin, *ends])
    return Chapter(title(facts), begin, end, [(step, bars(step, begin, end)) for step in steps])


def title(facts: Sequence[Fact]) -> str:
    return CHAPTERS.get(facts[0].kind, "Told")


def steps_of(fact: Fact, stored: Stored, made: dict[Any, datetime], now: datetime) -> Iterator[Step]:
    """The way of one event. That of the first one is told in three lines."""
    where, spans = state(fact, stored), spans_of(fact, made.get(fact.at, fact.at), now)
    if fact.kind == "order.placed" and fact.at:
        yield Step("accepted", fact.told_by, "applied", fact.at, (Span("accepted", fact.at, fact.at),))
        if where not in {"in the outbox", "refused"}:
            yield Step("published", fact.told_by, "applied", fact.published_at, tuple(each for each in spans if each.kind == "outbox"))
            spans = tuple(each for each in spans if each.kind != "outbox")
    done = worked(fact) if fact.applied_at else None
    yield Step(STEPS[fact.kind] if where == "applied" else where, fact.read_by, where, done, spans)


def spans_of(fact: Fact, begin: datetime | None, now: datetime) -> tuple[Span, ...]:
    """Where it waited, and then was worked on."""
    work = [Span("working", fact.applied_at, worked(fact))] if fact.applied_at and fact.working_ms is not None else []
    return (*waits(fact, begin, now), *work)


def waits(fact: Fact, begin: datetime | None, now: datetime) -> Iterator[Span]:
    """begin: when it was made; none: its service does not tell."""
    end = fact.applied_at or fact.passed_at
    if fact.published_at:
        left = max(begin or fact.published_at, fact.published_at)
        yield from [Span("outbox", begin, left)] if begin else []
        yield Span("log" if end else "open", left, end or now)
    elif begin and not fact.without_effect:
        yield Span("waiting" if end else "open", begin, end or now)
    if fact.passed_at:
        yield Span("dead", fact.passed_at, fact.passed_at)


def bars(step: Step, begin: datetime, end: datetime) -> list[Bar]:
    """The spans of a step on the scale from `begin` to `end`."""
    whole = Span("", begin, end).ms or 1.0
    return [bar(each, Span("", begin, each.begin).ms / whole * 100, each.ms / whole * 100) for each in step.spans]


def bar(span: Span, x: float, width: float) -> Bar:
    width = max(LEAST_WIDTH, width)
    return Bar(span, round(min(x, 100 - width), 2), round(width, 2))
