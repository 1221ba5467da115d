"""Turn after turn, each caller fuzzes every operation, until so many requests were sent or so much time has passed."""

import json
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from consumers.pausing import resume
from consumers.routes import ROUTES
from tests.fuzz import hooks
from tests.fuzz.service import Service, another_token

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "api" / "openapi.json").read_text()  # once: of the service that was started
CONFIG = tomllib.loads((Path(__file__).parent / "schemathesis.toml").read_text())
PHASES = ("examples", "coverage", "fuzzing", "stateful")
FIRST, SECOND, LATER = {"examples", "fuzzing", "stateful"}, {"coverage"}, {"fuzzing", "stateful"}  # the phases of a turn
EXAMPLES = (5, 5, 50)  # cases an operation in the phases that make them up, in the same turns

Show = Callable[[int], object]  # is told how many requests were sent


@dataclass(frozen=True)
class Finding:
    """A check that failed, and how to see it again."""

    caller: str
    check: str
    operation: str
    title: str
    message: str
    command: str
    answer: str


@dataclass
class Figures:
    """Requests by operation and status, and what failed, each kind of failure once."""

    seed: int
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    callers: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    findings: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def requests(self) -> int:
        return self.answers.total()


def run(service: Service, *, requests: int, seconds: float, seed: int, show: Show) -> Figures:
    """Fuzzes the service. The seed decides what is sent; what was answered before has a say in it, too."""
    hooks.register()
    figures, begun = Figures(seed), time.monotonic()
    for turn, caller in turns(service):
        resume_all()
        stream = from_schema(schema(service, caller, turn, seed)).execute()
        for event in stream:
            note(figures, caller, event)
            show(figures.requests)
            figures.seconds = time.monotonic() - begun
            if figures.requests >= requests or figures.seconds >= seconds:
                stream.stop()
                return figures
    return figures


def resume_all() -> None:
    """What the operator has paused takes events again: else the service would hear of nothing but 503."""
    for name in ROUTES:
        resume(name=name)


def turns(service: Service) -> Iterator[tuple[int, str]]:
    turn = 0
    while True:
        yield from ((turn, caller) for caller in service.callers)
        turn += 1


def schema(service: Service, caller: str, turn: int, seed: int) -> Any:
    """The document, as one caller fuzzes it in one turn. Only nobody tries tokens of his own making.

    Who signs out revokes another token than the one that all other requests send.
    """
    phases = (FIRST, SECOND, LATER)[min(turn, 2)]
    generation = {"max-examples": EXAMPLES[min(turn, 2)], "with-security-parameters": caller == "nobody"}
    headers = service.callers[caller]
    signing_out = {"include-operation-id": "auth_token_destroy", "headers": another_token(headers)}
    config = CONFIG | {
        "base-url": service.address,
        "seed": seed + turn,
        "headers": dict(headers),
        "operations": [*CONFIG["operations"], signing_out],
        "generation": CONFIG["generation"] | generation,
        "phases": {phase: {"enabled": phase in phases} for phase in PHASES},
    }
    return schemathesis.openapi.from_dict(json.loads(DOCUMENT), config=SchemathesisConfig.from_dict(config))


def note(figures: Figures, caller: str, event: events.EngineEvent) -> None:
    """Adds what an event says. Raises what broke schemathesis itself."""
    if isinstance(event, events.FatalError):
        raise event.exception
    if isinstance(event, events.NonFatalError):
        add(figures, Finding(caller, "error", event.label, type(event.value).__name__, str(event.value), "", ""))
    if isinstance(event, events.ScenarioFinished):
        count(figures, caller, event.recorder)


def count(figures: Figures, caller: str, recorder: Any) -> None:
    """Adds a scenario's answers and failures."""
    for case_id, interaction in recorder.interactions.items():
        status = str(interaction.response.status_code) if interaction.response else "none"
        figures.answers[label_of(recorder, case_id), status] += 1
        figures.callers[caller] += 1
    for case_id, checks in recorder.checks.items():
        figures.checks += len(checks)
        for check in checks:
            if check.failure_info:
                add(figures, finding(caller, recorder, case_id, check))


def label_of(recorder: Any, case_id: str) -> str:
    return str(recorder.cases[case_id].value.operation.label)


def finding(caller: str, recorder: Any, case_id: str, check: Any) -> Finding:
    failure, answered = check.failure_info.failure, recorder.interactions.get(case_id)
    answer = answered.response.content.decode(errors="replace")[:500] if answered and answered.response else ""
    command = check.failure_info.code_sample
    return Finding(caller, check.name, label_of(recorder, case_id), failure.title, failure.message, command, answer)


def add(figures: Figures, found: Finding) -> None:
    figures.findings.setdefault((found.check, found.operation, found.title), found)


def by_operation(figures: Figures) -> Mapping[str, Counter[str]]:
    """How often each operation answered with which status."""
    found: dict[str, Counter[str]] = {}
    for (operation, status), times in sorted(figures.answers.items()):
        found.setdefault(operation, Counter())[status] += times
    return found
