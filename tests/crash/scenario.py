"""What a scenario is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.crash.shop import run_consumer, run_relay


def nothing() -> None:
    pass


@dataclass(frozen=True)
class Scenario:
    """A state of the shop, and the process that is stopped at each of its points."""

    process: str  # web, relay, a consumer, or a command: dead_letters, purge
    prepare: Callable[[], Any]  # makes the state, and what the others are given
    act: Callable[[Any], object]  # the process, from its start to its end
    settings: Mapping[str, Any] = field(default_factory=dict)
    has_happened: Callable[[Any], bool] | None = None  # of a POST: whether its client sees the effect
    decided_by: str = "COMMIT"  # the statement of a POST behind which its effect is there
    repeats: bool = True  # the POST in any case; without an Idempotency-Key only when its effect is not there
    mend: Callable[[], object] = nothing  # what a person, or time, must mend before the shop can come to rest

    @property
    def is_asked_for(self) -> bool:
        """Somebody waits for its answer, and asks again; relay and consumers are started again with all others."""
        return self.process in {"web", "dead_letters", "purge"}


def posting(prepare: Callable[[], Any], act: Callable[[Any], object], has_happened: Callable[[Any], bool] | None, **more: Any) -> Scenario:
    return Scenario("web", prepare, act, has_happened=has_happened, **more)


def relaying(prepare: Callable[[], Any], **more: Any) -> Scenario:
    return Scenario("relay", prepare, lambda given: run_relay(), **more)


def consuming(name: str, prepare: Callable[[], Any], **more: Any) -> Scenario:
    return Scenario(name, prepare, lambda given: run_consumer(name), **more)
