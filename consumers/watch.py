"""Notices that a consumer no longer goes on although there is more to read."""

STALLED_LOOKS, MOST_PATIENCE = 2, 64  # looks at a position that stands still, before its client is replaced


class Watch:
    """Notices positions that stand still although the log goes on: after two looks with the same answer, then four more, eight, …"""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._still: dict[int, int] = {}  # looks in a row that found a partition where it was
        self._patience, self._deaf_at = STALLED_LOOKS, STALLED_LOOKS

    @property
    def stalled(self) -> set[int]:
        """The partitions that stand still although their client has been replaced."""
        return {partition for partition, looks in self._still.items() if looks > STALLED_LOOKS}

    def is_deaf(self, behind: dict[int, int]) -> bool:
        """Whether it is time for a new client. behind: the position of every partition that is not at its end."""
        self._still = {
            partition: self._still.get(partition, 0) + 1 for partition, position in behind.items() if self._seen.get(partition) == position
        }
        self._seen = behind
        longest = max(self._still.values(), default=0)
        if not longest:
            self._patience, self._deaf_at = STALLED_LOOKS, STALLED_LOOKS
        if longest < self._deaf_at:
            return False
        self._patience = min(self._patience * 2, MOST_PATIENCE)
        self._deaf_at = longest + self._patience
        return True
