"""What came of a run, for people and for programs."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from tests.crash.campaign import Outcome
from tests.crash.experiment import Recorded, differences
from tests.crash.points import THE_END, Effect
from tests.crash.scenarios import SCENARIOS

PROCESSES = ("web", "relay", "billing", "orders", "notify", "dead_letters", "purge")
KINDS = {
    "statement": "before a statement",
    "transaction": "before BEGIN, COMMIT and their like",
    "broker": "before a call of the broker or its answer",
    "end": "at the end",
}
BRACKETS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
SHOWN = 10


class Result:
    """The outcomes of a run, as they come."""

    def __init__(self, recorded: Mapping[str, Recorded], points: int) -> None:
        self._recorded, self._points, self._done = recorded, points, 0
        self.seconds = 0.0
        self.wrong = [
            f"{name}, not stopped at all: {problem}"
            for name, each in recorded.items()
            if (problem := differences({"findings": [], "in flight": []}, each.ending))
        ]

    def add(self, outcome: Outcome) -> str:
        """Takes an outcome in; returns what there is to say of it, lines or nothing."""
        self._done += 1
        if not outcome.wrong:
            return ""
        effect = self._recorded[outcome.scenario].effects[outcome.number - 1]
        self.wrong.append(
            f"{outcome.scenario}, stopped at point {outcome.number}, before {effect.label[:200]}:\n"
            f"  {outcome.wrong}\n"
            f"  again: python -m tests.crash {outcome.scenario} {outcome.number}"
        )
        return f"\n{self.wrong[-1]}\n"

    def progress(self) -> str:
        return f"{self._done:,} of {self._points:,} points, at {len(self.wrong)} something was wrong"

    def as_json(self) -> bytes:
        """For the tests: how many points, what was wrong, every effect that was seen and every route that was posted to."""
        seen = sorted({tuple(effect) for each in self._recorded.values() for effect in each.effects})
        routes = sorted({route for each in self._recorded.values() for route in each.routes})
        return msgspec.json.encode({"points": self._points, "done": self._done, "wrong": self.wrong, "seen": seen, "routes": routes})

    def as_markdown(self) -> str:
        """The page of a whole run."""
        verdict = "Nothing was lost or doubled" if not self.wrong else f"At {len(self.wrong)} something was wrong"
        return "\n".join([
            "# Crash points",
            "",
            f"`python -m tests.crash` stopped a process at {self._points:,} points, each in a run of its own, restarted it, let the shop",
            f"come to rest and audited it. **{verdict}.** It took {self.seconds:,.0f} s on {datetime.now(UTC).date()}, on",
            f"{os.cpu_count()} cores whose load (of all that ran there) was {os.getloadavg()[1]:.0f}.",
            "",
            "A point is the gap between two effects of a process on database or broker: so each effect has a point before it and one after",
            "it. They are counted in a run that nothing stops. Then each has its run, which ends there as by `kill -9`. The process is",
            "started again. A client whose request was not answered repeats it: with its key, or if its effect is not there.",
            "What customers and staff see in the end must be what they see when nothing was stopped, and the audit must find nothing.",
            "",
            *table("process", by_process(self._recorded)),
            "",
            *table("scenario", by_scenario(self._recorded)),
            "",
            "PostgreSQL is the real one. The broker is a model with the face of the Kafka client, whose logs are files; the points of the",
            "client itself (produce, acknowledgement, assignment, seek, commit, revocation) are tried on a real Kafka as well, by the same",
            "tests: `python -m tests.crash --kafka HOST:PORT`. One point again: `python -m tests.crash SCENARIO POINT`.",
            "",
        ])  # fmt: skip


def by_process(recorded: Mapping[str, Recorded]) -> Iterator[tuple[str, Counter[str]]]:
    for process in PROCESSES:
        own = [each for name, each in recorded.items() if SCENARIOS[name].process == process]
        yield process, sum((kinds(each) for each in own), Counter())


def by_scenario(recorded: Mapping[str, Recorded]) -> Iterator[tuple[str, Counter[str]]]:
    return ((f"`{name}`", kinds(each)) for name, each in recorded.items())


def kinds(recorded: Recorded) -> Counter[str]:
    return Counter(kind_of(effect) for effect in recorded.effects)


def kind_of(effect: Effect) -> str:
    """What a point lies before: a statement, a bracket of a transaction, a call of the broker or an answer of it, or the end."""
    if effect.label == THE_END:
        return "end"
    if effect.kind != "sql":
        return "broker"
    return "transaction" if effect.label.startswith(BRACKETS) else "statement"


def table(title: str, rows: Iterator[tuple[str, Counter[str]]]) -> Iterator[str]:
    """Markdown; the last column is the sum."""
    yield f"| {title} | {' | '.join(KINDS.values())} | points |"
    yield f"| --- |{' ---: |' * (len(KINDS) + 1)}"
    for name, counted in rows:
        yield f"| {name} | {' | '.join(str(counted[kind]) for kind in KINDS)} | {counted.total()} |"
