"""The progress row of a partition: claimed, moved, fenced, released, on the real PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from consumers.models import Position
from consumers.positions import Anchor, Claim, Log, Positions
from consumers.tests.stubs import CONSUMER, NOW, TOPIC, claimed, opened, positions, record
from kafka_shop.databases import limited_transaction
from tests.sessions import eventually, in_own_session, second_session, somebody_waits_for_a_lock

LOCK = "SELECT position FROM consumers_position WHERE partition = %s FOR UPDATE"


def claim(partition: int = 0) -> Claim:
    return claimed(partition)[partition]


def move(*claims: Claim, to: int) -> int:
    """Moves claims behind the message before `to`, and remembers it as the engine does."""
    with limited_transaction("default"):
        moved = positions().move([(claim, record(opened(1), to - 1, claim.partition), "door.opened:1") for claim in claims], NOW)
    if moved == len(claims):
        for claim in claims:
            claim.position = to
    return moved


def stored(partition: int = 0) -> Position:
    return Position.objects.get(consumer=CONSUMER, topic=TOPIC, partition=partition)


@pytest.mark.usefixtures("db")
class TestClaim:
    def test_a_partition_that_was_never_read_begins_at_0_of_no_log(self) -> None:
        first = claim()

        assert (first.position, first.log, first.anchor, first.stalled) == (0, Log("", ""), None, 0)
        assert (first.lone_offset, first.lone_attempts) == (None, 0)
        assert stored().owner == first.owner

    def test_a_claim_finds_what_the_last_owner_left(self) -> None:
        first, log = claim(), Log("cluster", "topic")
        positions().identify(first, log)
        move(first, to=10)
        positions().alone(first, 10, 2)

        second = claim()

        assert (second.position, second.log, second.anchor) == (10, log, Anchor(9, 1_009, "door.opened:1"))
        assert (second.lone_offset, second.lone_attempts) == (10, 2)
        assert second.owner != first.owner

    def test_partitions_are_claimed_together_and_owned_one_by_one(self) -> None:
        claims = claimed(3, 1, 2)

        assert sorted(claims) == [1, 2, 3]
        assert len({claim.owner for claim in claims.values()}) == 3

    def test_other_consumers_and_topics_keep_their_rows(self) -> None:
        mine = claim()
        others = [Positions("default", "notify", TOPIC), Positions("default", CONSUMER, "billing-topic")]
        theirs = [other.claim([0])[0] for other in others]

        assert move(mine, to=5) == 1
        assert [other.read() for other in others] == [{0: 0}, {0: 0}]
        assert [other.identify(each, Log("c", "")) for other, each in zip(others, theirs, strict=True)] == [1, 1]

    def test_nothing_to_claim_is_no_claim(self) -> None:
        assert positions().claim([]) == []


@pytest.mark.usefixtures("db")
class TestMove:
    def test_moving_writes_position_anchor_and_time(self) -> None:
        assert move(claim(), to=10) == 1

        row = stored()
        assert (row.position, row.anchor_offset, row.anchor_timestamp, row.anchor_event_id) == (10, 9, 1_009, "door.opened:1")
        assert row.moved_at == NOW

    def test_the_last_owner_moves_nothing(self) -> None:
        zombie = claim()
        claim()

        assert move(zombie, to=10) == 0
        assert stored().position == 0

    def test_an_owner_whose_row_is_older_or_newer_than_it_knows_moves_nothing(self) -> None:
        mine = claim()
        move(mine, to=10)

        for known in (9, 11):
            mine.position = known
            assert move(mine, to=20) == 0
        assert stored().position == 10

    def test_a_released_row_is_moved_by_nobody(self) -> None:
        mine = claim()
        positions().release([mine])

        assert move(mine, to=10) == 0

    def test_of_two_partitions_the_lost_one_is_missing_in_the_count(self) -> None:
        claims = claimed(0, 1)
        claim(1)

        assert move(*claims.values(), to=10) == 1


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """A thread beside the test, for what has to wait."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.usefixtures("committed")
class TestTwoSessions:
    def test_a_new_owner_waits_for_the_move_in_hand_and_goes_on_behind_it(self, other: ThreadPoolExecutor) -> None:
        first = claim()

        with limited_transaction("default"):
            positions().move([(first, record(opened(1), 9), "")], NOW)
            second = other.submit(in_own_session(claim))
            eventually(somebody_waits_for_a_lock)
            assert not second.done()

        assert second.result().position == 10

    def test_a_new_owner_finds_the_old_position_when_the_move_is_rolled_back(self, other: ThreadPoolExecutor) -> None:
        first = claim()

        with pytest.raises(LookupError), limited_transaction("default"):
            positions().move([(first, record(opened(1), 9), "")], NOW)
            second = other.submit(in_own_session(claim))
            eventually(somebody_waits_for_a_lock)
            raise LookupError

        assert second.result().position == 0

    def test_a_zombie_that_waits_for_the_new_owner_moves_nothing(self, other: ThreadPoolExecutor) -> None:
        zombie = claim()

        with second_session() as session:
            session.execute("UPDATE consumers_position SET owner = gen_random_uuid()")
            moved = other.submit(in_own_session(lambda: move(zombie, to=10)))
            eventually(somebody_waits_for_a_lock)
            session.commit()

        assert moved.result() == 0
        assert stored().position == 0

    def test_rows_are_locked_in_the_order_of_their_partitions(self, other: ThreadPoolExecutor) -> None:
        claims = claimed(0, 1)

        with second_session() as first, second_session() as look:
            first.execute(LOCK, [0])
            moved = other.submit(in_own_session(lambda: move(claims[1], claims[0], to=10)))
            eventually(somebody_waits_for_a_lock)
            free = look.execute(LOCK + " SKIP LOCKED", [1]).fetchall()
            look.rollback()
            first.rollback()

        assert free == [(0,)], "partition 1 was locked before partition 0"
        assert moved.result() == 2


@pytest.mark.usefixtures("db")
class TestWhatElseAnOwnerMayDo:
    def test_reset_points_at_a_place_in_another_log_and_forgets_the_anchor(self) -> None:
        mine = claim()
        move(mine, to=10)

        assert positions().reset(mine, 3, Log("another", "topic")) == 1

        row = stored()
        assert (row.position, row.cluster_id, row.topic_id, row.anchor_offset, row.anchor_event_id) == (3, "another", "topic", None, "")
        assert claim().anchor is None

    def test_tries_of_a_message_in_an_older_log_do_not_count_in_a_new_one(self) -> None:
        mine = claim()
        positions().alone(mine, 7, 2)

        positions().reset(mine, 0, Log("another", "topic"))

        assert (stored().lone_offset, stored().lone_attempts) == (None, 0)

    def test_identify_notes_the_log_and_moves_nothing(self) -> None:
        mine = claim()
        move(mine, to=10)

        assert positions().identify(mine, Log("cluster", "topic")) == 1

        assert (stored().position, stored().cluster_id, stored().anchor_offset) == (10, "cluster", 9)

    def test_alone_notes_the_message_that_is_tried_by_itself(self) -> None:
        mine = claim()

        assert positions().alone(mine, 7, 1) == 1
        assert positions().alone(mine, None, 0) == 1

        assert (stored().lone_offset, stored().lone_attempts) == (None, 0)

    def test_who_lost_a_claim_changes_nothing(self) -> None:
        zombie, mine = claim(), claim()

        assert positions().reset(zombie, 3, Log("another", "")) == 0
        assert positions().identify(zombie, Log("another", "")) == 0
        assert positions().alone(zombie, 7, 1) == 0
        positions().release([zombie])

        assert (stored().owner, stored().cluster_id, stored().lone_offset) == (mine.owner, "", None)

    def test_release_gives_up_only_what_is_named(self) -> None:
        claims = claimed(0, 1)

        positions().release([claims[0]])

        assert (stored(0).owner, stored(1).owner) == (None, claims[1].owner)

    def test_reading_gives_the_positions_by_partition(self) -> None:
        move(*claimed(0, 2).values(), to=4)

        assert positions().read() == {0: 4, 2: 4}


@pytest.mark.usefixtures("db")
class TestStalledClaims:
    """A process that dies neither releases nor moves: the claims in a row that find it so are counted."""

    def test_deaths_without_a_move_are_counted(self) -> None:
        assert [claim().stalled for _ in range(4)] == [0, 1, 2, 3]

    def test_a_move_ends_the_count(self) -> None:
        claim()
        move(claim(), to=10)

        assert [claim().stalled for _ in range(3)] == [0, 1, 2]

    def test_a_release_is_no_death(self) -> None:
        positions().release([claim()])

        assert [claim().stalled for _ in range(2)] == [0, 1]

    def test_a_release_without_a_move_does_not_end_the_count(self) -> None:
        """A survivor that hands the partition on before it has tried anything says nothing about the message that killed others."""
        claim()
        claim()
        positions().release([claim()])

        assert [claim().stalled for _ in range(2)] == [2, 3]

    def test_a_reset_to_the_beginning_is_no_move(self) -> None:
        positions().reset(claim(), 50, Log("cluster", ""))

        assert [claim().stalled for _ in range(2)] == [1, 2]

    def test_each_partition_is_counted_by_itself(self) -> None:
        move(claimed(0, 1)[0], to=10)

        assert {number: claim.stalled for number, claim in claimed(0, 1).items()} == {0: 0, 1: 1}


@pytest.mark.usefixtures("db")
class TestBeat:
    def test_the_owner_notes_when_it_was_last_alive_and_moves_nothing(self) -> None:
        claims = claimed(0, 1)
        move(claims[0], to=10)

        assert positions().beat(claims.values(), NOW) == {0, 1}
        assert (stored(0).beat_at, stored(1).beat_at) == (NOW, NOW)
        assert positions().read() == {0: 10, 1: 0}

    def test_what_another_owner_claimed_and_what_stands_elsewhere_is_missing_and_untouched(self) -> None:
        claims = claimed(0, 1, 2)
        claim(0)
        claims[1].position = 5

        assert positions().beat(claims.values(), NOW) == {2}
        assert (stored(0).beat_at, stored(1).beat_at) == (None, None)

    def test_other_consumers_keep_their_rows(self) -> None:
        mine = claim()
        Position.objects.update(consumer="notify")

        assert positions().beat([mine], NOW) == set()
