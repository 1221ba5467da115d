"""Waves: messages go to their handlers in sets, and no two of the same key change places."""

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from consumers.waves import MOST_WAVES, waves


class Message(NamedTuple):
    place: int
    key: str
    type: str


Waves = list[dict[str, list[Message]]]

pairs = st.tuples(st.sampled_from("abcd"), st.sampled_from(["placed", "cancelled", "settled"]))
batches = st.lists(pairs, max_size=80).map(lambda pairs: [Message(place, *pair) for place, pair in enumerate(pairs)])
limits = st.integers(min_value=1, max_value=MOST_WAVES)


def split(batch: list[Message], most: int = MOST_WAVES) -> tuple[Waves, int]:
    return waves(batch, type_of=lambda message: message.type, key_of=lambda message: message.key, most=most)


def in_call_order(result: Waves) -> list[Message]:
    return [message for wave in result for members in wave.values() for message in members]


def changes_of_type(batch: list[Message]) -> int:
    """The most changes of type that one key goes through: what a batch needs waves for."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for message in batch:
        kinds[message.key].append(message.type)
    return max((sum(a != b for a, b in pairwise(each)) for each in kinds.values()), default=0)


@given(batches, limits)
def test_no_message_is_lost_or_doubled_and_the_rest_is_exactly_the_remainder(batch: list[Message], most: int) -> None:
    result, count = split(batch, most)

    assert sorted(in_call_order(result)) == batch[:count]


@given(batches, limits)
def test_messages_of_a_key_keep_their_order_across_waves(batch: list[Message], most: int) -> None:
    result, count = split(batch, most)

    for key in "abcd":
        called = [message for message in in_call_order(result) if message.key == key]
        assert called == [message for message in batch[:count] if message.key == key]


@given(batches, limits)
def test_a_handler_gets_its_messages_in_the_order_of_the_log(batch: list[Message], most: int) -> None:
    result, _ = split(batch, most)

    assert all(members == sorted(members) for wave in result for members in wave.values())


@given(batches, limits)
def test_a_key_is_in_one_type_of_a_wave_only(batch: list[Message], most: int) -> None:
    result, _ = split(batch, most)

    for wave in result:
        keys = [key for members in wave.values() for key in {message.key for message in members}]
        assert len(keys) == len(set(keys))


@given(batches, limits)
def test_there_are_never_more_waves_than_allowed_and_none_is_empty(batch: list[Message], most: int) -> None:
    result, _ = split(batch, most)

    assert len(result) <= most
    assert all(members for wave in result for members in wave.values()) and all(result)


@given(batches, limits)
def test_the_batch_is_cut_only_where_one_more_wave_would_be_needed(batch: list[Message], most: int) -> None:
    _, count = split(batch, most)

    assert changes_of_type(batch[:count]) < most
    assert count == len(batch) or changes_of_type(batch[: count + 1]) == most


@given(batches)
def test_a_batch_needs_as_many_waves_as_its_most_changing_key(batch: list[Message]) -> None:
    result, _ = split(batch, most=len(batch) + 1)

    assert len(result) == (changes_of_type(batch) + 1 if batch else 0)


def test_distinct_keys_need_one_wave_whatever_their_types() -> None:
    batch = [Message(place, f"customer {place}", f"type {place % 3}") for place in range(300)]

    result, count = split(batch)

    assert count == 300
    assert [list(wave) for wave in result] == [["type 0", "type 1", "type 2"]]


def test_a_ninth_wave_is_left_to_the_next_batch() -> None:
    batch = [Message(place, "a", "placed" if place % 2 else "cancelled") for place in range(20)]

    result, count = split(batch)

    assert (len(result), count) == (8, 8)


def test_an_empty_batch_has_no_waves() -> None:
    assert split([]) == ([], 0)
