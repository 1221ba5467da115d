"""What may go wrong, how often, and how often it did. A history has some kinds only, so that rare meetings of two get their turn."""

from collections import Counter
from random import Random

# at a point: the chance of each kind, where a history has it
AT_A_STATEMENT = {
    "process killed at a statement": 0.006,
    "connection lost": 0.004,
    "database error": 0.012,
    "process frozen": 0.02,
}
AT_A_COMMIT = {
    "process killed before a commit": 0.04,
    "process killed after a commit": 0.04,
    "commit refused": 0.03,
    "process frozen before a commit": 0.05,
    "commit with unknown outcome": 0.04,
}
AT_A_MESSAGE = {
    "message written twice": 0.1,
    "message refused": 0.1,
    "message written, not acknowledged": 0.08,
    "message written late": 0.06,
    "message without an answer": 0.08,
    "message lost": 0.02,
}
AFTER_SENDING = {"relay killed after it produced": 0.06}
IN_BETWEEN = {
    "process killed between turns": 0.02,
    "process restarted": 0.015,
    "zombie": 0.04,
    "rebalance": 0.04,
    "partition added": 0.006,
    "log made anew": 0.006,
    "end of a log lost": 0.004,
    "beginning of a log deleted": 0.004,
    "client gone deaf": 0.006,
    "broker away": 0.008,
    "database away": 0.004,
    "poison": 0.025,
    "foreign message": 0.015,
    "message that kills": 0.002,
}
KINDS = AT_A_STATEMENT | AT_A_COMMIT | AT_A_MESSAGE | AFTER_SENDING | IN_BETWEEN


class Faults:
    """The dice of one history's faults."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.injected: Counter[str] = Counter()
        self.chances = {kind: chance * random.choice((0.5, 1, 2)) for kind, chance in KINDS.items() if random.random() < 0.6}

    def end(self) -> None:
        self.chances = {}

    def strikes(self, kind: str) -> bool:
        """Whether this kind of fault happens here and now."""
        chance = self.chances.get(kind, 0.0)
        if not chance or self._random.random() >= chance:
            return False
        self.injected[kind] += 1
        return True
