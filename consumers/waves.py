"""Splits a batch into waves, so that messages of one type go to their handler together and no two of the same key change places."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

# A wave holds messages by type, in their order; a key is in one type of a wave only.

MOST_WAVES = 8


def waves(
    messages: Sequence[T], *, type_of: Callable[[T], K], key_of: Callable[[T], Hashable], most: int = MOST_WAVES
) -> tuple[list[dict[K, list[T]]], int]:
    """The waves of the longest beginning of `messages` that needs at most `most` of them, and that beginning's length.

    A message goes to the wave of its key's last message when the type is the same, else to the wave after it: one type needs one wave.
    """
    types = {type_of(message) for message in messages}
    if len(types) == 1:
        return [{types.pop(): list(messages)}], len(messages)
    result: list[dict[K, list[T]]] = []
    last: dict[Hashable, tuple[int, K]] = {}
    for count, message in enumerate(messages):
        key, type = key_of(message), type_of(message)
        number, before = last.get(key, (0, type))
        number += before != type
        if number == most:
            return result, count
        if number == len(result):
            result.append({})
        result[number].setdefault(type, []).append(message)
        last[key] = number, type
    return result, len(messages)
