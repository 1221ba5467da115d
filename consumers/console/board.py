"""What the home makes of the flow's figures: states in words, what is wrong, the bars of the charts. Pure: no Django, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Flow = Mapping[str, Any]

WAITS_LONG_SECONDS = 10.0  # in the outbox, although somebody would read it
UNSEEN = timedelta(seconds=20)  # the relay looks for its log every 5 s
SLOW_SECONDS = 10.0  # a lag that takes longer to drain is worth a word
BAR, GAP, HEIGHT = 16, 4, 60  # of the charts, in units of their box


@dataclass(frozen=True)
class State:
    """A word, and how it is meant: good, quiet, warn or bad."""

    word: str
    level: str = "good"


@dataclass(frozen=True)
class Row:
    """Of the table of health."""

    what: str
    state: State
    facts: Sequence[tuple[str, Any, str]] = ()  # name, figure, and the filter that says it


@dataclass(frozen=True)
class Bar:
    x: int
    y: int
    height: int
    label: str
    at: datetime
    figure: float | None


@dataclass(frozen=True)
class Hop:
    """An edge of the map with the consumer at its end."""

    edge: Flow
    state: State
    beat_at: datetime | None
    starts: bool  # its sender stands before it, because no hop ends there


def hops(flow: Flow) -> list[Hop]:
    """The way of an order, as far as it is served here."""
    edges = flow["edges"]
    befores = [None, *(edge["to"] for edge in edges)]
    return [Hop(edge, consumer_state(edge), last_beat(edge), edge["from"] != before) for edge, before in zip(edges, befores, strict=False)]


def last_beat(edge: Flow) -> datetime | None:
    """Of the partition that has been silent the longest."""
    return min((each["beat_at"] for each in edge["partitions"] if each["beat_at"]), default=None)


def consumer_state(edge: Flow) -> State:
    """A consumer is as well as its worst partition."""
    states = {each["state"] for each in edge["partitions"]}
    known = {
        "nobody": State("no process", "bad"),
        "silent": State("silent", "bad"),
        "ok": State("reading"),
        "http": State("takes requests"),
    }
    if edge["paused"] is None:
        return State("unknown", "bad")
    if edge["paused"]:
        return State("paused", "warn")
    return next((state for name, state in known.items() if name in states), State("nothing read yet", "quiet"))


def relay_state(box: Flow, flow: Flow) -> State:
    """Of what waits to leave for one topic."""
    if box["waiting"] is None:
        return State("unknown", "bad")
    if box["refused"]:
        return State("refused", "bad")
    if box["oldest_seconds"] > WAITS_LONG_SECONDS:
        return State("waiting", "warn")
    seen = box["log_seen_at"]
    return State("silent", "bad") if seen and flow["at"] - seen > UNSEEN else State("publishing")


def health(flow: Flow) -> Iterator[Row]:
    """Everything that has to live for an order to move."""
    for alias, state in flow["databases"].items():
        yield Row(f"Database {alias}", reachable(state))
    if flow["broker"]:
        yield Row("Broker", reachable(flow["broker"]))
    for box in flow["outbox"]:
        facts = [
            ("waiting", box["waiting"], "number"),
            ("oldest", box["oldest_seconds"], "duration"),
            ("log seen", box["log_seen_at"], "ago"),
        ]
        refused = [("refused", box["refused"], "number")] if box["refused"] else []
        yield Row(
            f"Relay to {box['topic']}", relay_state(box, flow), [*refused, *(fact for fact in facts if fact[0] != "log seen" or fact[1])]
        )
    for edge in flow["edges"]:
        yield from (Row(name_of(edge, part), partition_state(edge, part), facts_of(part)) for part in edge["partitions"])


def reachable(state: str) -> State:
    return State("ok") if state == "ok" else State("away", "bad")


def name_of(edge: Flow, part: Flow) -> str:
    return f"{edge['to']}, over HTTP" if part["partition"] is None else f"{edge['to']}, partition {part['partition']}"


def partition_state(edge: Flow, part: Flow) -> State:
    return consumer_state({**edge, "partitions": [part]})


def facts_of(part: Flow) -> list[tuple[str, Any, str]]:
    found = [("position", part["position"], "number"), ("lag", part["lag"], "number"), ("last beat", part["beat_at"], "ago")]
    return [fact for fact in [*found, ("moved", part["moved_at"], "ago")] if fact[1] is not None]


def troubles(flow: Flow) -> Iterator[str]:
    """What is wrong, the worst first, in words that stay the same while it is: a screen reader hears them."""
    yield from (f"database {alias} is away" for alias, state in flow["databases"].items() if state == "away")
    if flow["broker"] == "away":
        yield "the broker is away"
    for edge in flow["edges"]:
        yield from (f"{edge['to']} {said}" for said in [trouble_of(edge)] if said)
    states = [(box, relay_state(box, flow).word) for box in flow["outbox"]]
    yield from (f"{words} {box['topic']}" for box, state in states for words in [OUTBOX.get(state)] if words)
    letters = sum(group["count"] for group in flow["dead_letters"])
    if letters:
        yield f"{letters:,} open dead letter{'s' * (letters > 1)}"


OUTBOX = {
    "refused": "facts are refused by",
    "waiting": "facts wait in the outbox for",
    "silent": "the relay is silent about",
}


def trouble_of(edge: Flow) -> str:
    """What is the matter with a consumer; "" when nothing is."""
    state = consumer_state(edge)
    if state.level == "warn":
        return "is paused"
    if state.level == "bad":
        return {"no process": "has no process", "silent": "is silent"}.get(state.word, "is unknown")
    return "is behind" if edge["lag"] and (edge["drain_seconds"] or 0) > SLOW_SECONDS else ""


def bars(figures: Sequence[tuple[datetime, float | None]], said: Any) -> list[Bar]:
    """A bar a minute, as high as its share of the highest. said: what a figure is in words."""
    most = max((figure or 0 for _, figure in figures), default=0) or 1
    heights = [0 if not figure else max(2, round(HEIGHT * figure / most)) for _, figure in figures]
    return [
        Bar(place * (BAR + GAP), HEIGHT - height, height, said(figure), at, figure)
        for place, ((at, figure), height) in enumerate(zip(figures, heights, strict=True))
    ]
