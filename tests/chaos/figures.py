"""What comes of a run."""

from collections.abc import Callable
from dataclasses import dataclass, field

Say = Callable[[str], object]  # is told how far a run has come


@dataclass
class Figures:
    """Times are in seconds."""

    recoveries: dict[str, list[float]] = field(default_factory=dict)  # by fault
    stops: list[float] = field(default_factory=list)  # from SIGTERM to the exit
    holds: list[float] = field(default_factory=list)  # of a partition by a poisoned message
    counts: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)  # that customers got
    fates: dict[str, int] = field(default_factory=dict)  # of processes that ended by themselves
    accepted: int = 0  # orders
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    loads: list[float] = field(default_factory=list)  # of the machine, whoever made it
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.problems or self.lost or self.doubled)
