"""Is the log the one that a position counts in? The whole table of decisions."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.batch import anchor
from consumers.logs import Standing, anchor_of, examine, standing
from consumers.positions import Anchor, Claim, Log
from consumers.reading import LARGEST_MESSAGE_BYTES
from consumers.tests.stubs import READER, TOPIC, opened, raw, record, uuid
from kafka_shop.messaging.kafka import Inspector, Record, Watermarks

SAME, NEW, OUT_OF_RANGE = Standing.SAME, Standing.NEW, Standing.OUT_OF_RANGE
STORED = {"with id": Log("cluster", "topic"), "without id": Log("cluster", "")}
SEEN = {
    "same": Log("cluster", "topic"),
    "same without id": Log("cluster", ""),
    "other topic": Log("cluster", "another"),
    "other cluster": Log("another", "topic"),
    "other cluster without id": Log("another", ""),
}
MARKS = Watermarks(100, 200)
INSIDE, OUTSIDE = (100, 150, 200), (99, 201, 0)
ANCHOR = Anchor(149, 1_000, "order.placed:1")
FORGOTTEN = Anchor(99, 1_000, "order.placed:1")
FOUND = {
    "another event": Anchor(149, 1_000, "order.placed:2"),
    "another time": Anchor(149, 1_001, "order.placed:1"),
    "nothing": None,
}


def decide(stored: Log, seen: Log, position: int, anchor: Anchor | None, found: Anchor | None = None) -> Standing:
    return standing(position=position, stored=stored, seen=seen, marks=MARKS, anchor=anchor, read_again=lambda: found)


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
@pytest.mark.parametrize("position", [*INSIDE, *OUTSIDE])
def test_a_position_that_was_never_verified_is_of_a_new_log(seen: Log, position: int) -> None:
    assert decide(Log("", ""), seen, position, None) is NEW


@pytest.mark.parametrize("seen", ["other cluster", "other cluster without id", "other topic"])
@pytest.mark.parametrize("position", [*INSIDE, *OUTSIDE])
def test_another_identity_is_a_new_log_whatever_lies_there(seen: str, position: int) -> None:
    assert decide(STORED["with id"], SEEN[seen], position, ANCHOR, ANCHOR) is NEW


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("seen", ["same", "same without id"])
@pytest.mark.parametrize("position", INSIDE)
def test_the_same_log_is_the_same_by_its_anchor_or_where_none_can_be_read(stored: str, seen: str, position: int) -> None:
    assert decide(STORED[stored], SEEN[seen], position, ANCHOR, ANCHOR) is SAME
    assert decide(STORED[stored], SEEN[seen], position, FORGOTTEN) is SAME
    assert decide(STORED[stored], SEEN[seen], position, None) is SAME


@pytest.mark.parametrize("position", OUTSIDE)
@pytest.mark.parametrize(("anchor", "found"), [(None, None), (FORGOTTEN, None), (ANCHOR, ANCHOR), (ANCHOR, None)])
def test_out_of_range_on_the_same_topic_id_is_for_a_person(position: int, anchor: Anchor | None, found: Anchor | None) -> None:
    assert decide(STORED["with id"], SEEN["same"], position, anchor, found) is OUT_OF_RANGE


@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("position", [*INSIDE, *OUTSIDE])
def test_another_message_at_the_anchor_of_the_same_topic_id_is_for_a_person(found: Anchor | None, position: int) -> None:
    assert decide(STORED["with id"], SEEN["same"], position, ANCHOR, found) is OUT_OF_RANGE


UNSURE = [pair for pair in product(STORED, ["same", "same without id"]) if pair != ("with id", "same")]


@pytest.mark.parametrize(("stored", "seen"), UNSURE)
@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("position", [*INSIDE, *OUTSIDE])
def test_without_topic_ids_another_message_at_the_anchor_is_a_new_log(stored: str, seen: str, found: Anchor | None, position: int) -> None:
    assert decide(STORED[stored], SEEN[seen], position, ANCHOR, found) is NEW


@pytest.mark.parametrize(("stored", "seen"), UNSURE)
@pytest.mark.parametrize("position", OUTSIDE)
def test_without_topic_ids_a_position_outside_and_no_anchor_to_read_is_a_new_log(stored: str, seen: str, position: int) -> None:
    assert decide(STORED[stored], SEEN[seen], position, None) is NEW
    assert decide(STORED[stored], SEEN[seen], position, FORGOTTEN) is NEW


@pytest.mark.parametrize(("stored", "seen"), UNSURE)
@pytest.mark.parametrize("position", OUTSIDE)
def test_a_position_outside_a_log_whose_anchor_is_there_is_for_a_person(stored: str, seen: str, position: int) -> None:
    assert decide(STORED[stored], SEEN[seen], position, ANCHOR, ANCHOR) is OUT_OF_RANGE


class OneRecord(Inspector):
    """An inspector of a log that holds one record."""

    def __init__(self, held: Record) -> None:
        self.held, self.asked = held, 0

    def watermarks(self, topic: str, partition: int) -> Watermarks:
        return Watermarks(self.held.offset, self.held.offset + 1)

    def record_at(self, topic: str, partition: int, offset: int) -> Record | None:
        self.asked += 1
        return self.held if offset == self.held.offset else None


def claim_at(position: int, anchor: Anchor | None) -> Claim:
    return Claim(0, uuid(1), position, STORED["without id"], anchor, 0, None, 0)


def test_examining_reads_the_anchor_again() -> None:
    held = record(opened(1), 7)
    inspector = OneRecord(held)

    assert examine(inspector, TOPIC, claim_at(8, anchor_of(held)), SEEN["same"]) == (SAME, Watermarks(7, 8))
    assert examine(inspector, TOPIC, claim_at(8, anchor_of(record(opened(2), 7))), SEEN["same"])[0] is NEW
    assert inspector.asked == 2


def test_examining_reads_nothing_where_the_identity_decides_or_the_anchor_is_gone() -> None:
    inspector = OneRecord(record(opened(1), 7))

    assert examine(inspector, TOPIC, claim_at(8, Anchor(6, 0, "")), SEEN["same"])[0] is SAME
    assert examine(inspector, TOPIC, claim_at(8, Anchor(7, 0, "")), SEEN["other cluster"])[0] is NEW
    assert inspector.asked == 0


names = st.sampled_from(["ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "x"])


@given(st.lists(st.tuples(names, st.binary(max_size=5) | st.just(b"1.0")), max_size=6), st.none() | st.binary())
def test_any_message_is_the_anchor_that_it_was_applied_as(headers: list[tuple[str, bytes]], value: bytes | None) -> None:
    message = raw(3, headers, value)

    assert anchor_of(message) == anchor(READER.read(message))


def test_an_oversized_message_is_the_anchor_that_it_was_refused_as() -> None:
    headers = record(opened(1), 3).headers
    message = raw(3, [(name, value or b"") for name, value in headers], b"x" * (LARGEST_MESSAGE_BYTES + 1))

    assert anchor_of(message) == anchor(READER.read(message))
