"""Partitions come and go, processes die: nothing is applied twice, nothing is passed over."""

import pytest

from consumers import membership
from consumers.loop import Loop
from consumers.models import DeadLetter, Position
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import opened_ids, run, started, turn
from consumers.tests.stubs import CONSUMER, Doors, claimed, effects, opened, positions, uuid
from consumers.tests.test_failures import database_error

pytestmark = pytest.mark.usefixtures("effects_table")


@pytest.fixture
def two_partitions(broker: MemoryBroker) -> MemoryBroker:
    broker.logs, broker.low = {0: [], 1: []}, {0: 0, 1: 0}
    return broker


def raise_once(doors: Doors, call: int) -> None:
    if len(doors.calls) == call:
        raise ValueError


class TestFence:
    def test_a_partition_that_another_process_claimed_is_given_up_and_claimed_again(self, broker: MemoryBroker, doors: Doors) -> None:
        broker.append(opened(1))
        loop = started()
        broker.append(opened(2), opened(3))
        [thief] = claimed(0).values()
        turn(loop, until=lambda: loop.idle)

        assert doors.calls == [opened_ids(1), opened_ids(2, 3)]
        assert effects() == opened_ids(1, 2, 3)
        assert positions().alone(thief, 0, 1) == 0, "the thief is fenced in its turn"

    def test_what_the_other_process_applied_is_not_applied_again(self, broker: MemoryBroker, doors: Doors) -> None:
        first = started()
        second = Loop(CONSUMER)
        broker.append(opened(1), opened(2))
        turn(second, until=lambda: effects())
        broker.append(opened(3))

        turn(first, until=lambda: len(effects()) == 3)

        assert doors.calls == [opened_ids(1, 2), opened_ids(3)]

    def test_the_backlog_of_all_partitions_of_the_batch_is_read_again_in_order(self, two_partitions: MemoryBroker, doors: Doors) -> None:
        loop = started()
        two_partitions.append(opened(1), opened(2))
        two_partitions.append(opened(3), opened(4), partition=1)
        claimed(1)
        turn(loop, until=lambda: len(effects()) == 4)

        assert sorted(effects()) == sorted(opened_ids(1, 2, 3, 4))
        assert positions().read() == {0: 2, 1: 2}

    def test_what_was_kept_behind_a_fenced_batch_is_dropped_with_it_and_read_again(self, broker: MemoryBroker, doors: Doors) -> None:
        broker.append(opened(1))
        loop = started()
        broker.append(*map(opened, range(2, 6)))
        doors.fails = lambda ids: raise_once(doors, 2)
        turn(loop, until=lambda: len(doors.calls) == 2)
        claimed(0)
        turn(loop, until=lambda: loop.idle)

        assert doors.calls == [opened_ids(1), opened_ids(2, 3, 4, 5), opened_ids(2, 3, 4, 5)]
        assert effects() == opened_ids(1, 2, 3, 4, 5)

    def test_after_a_fence_the_group_speaks_before_the_next_claim(
        self, two_partitions: MemoryBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loop = started()
        give_up = loop.membership.give_up

        def give_up_and_lose(partitions: set[int]) -> None:
            two_partitions.members[0].revoke(*partitions)
            give_up(partitions)

        monkeypatch.setattr(loop.membership, "give_up", give_up_and_lose)
        [thief] = claimed(1).values()
        two_partitions.append(opened(1), partition=1)
        for _ in range(5):
            loop.run_once()

        assert Position.objects.get(partition=1).owner == thief.owner
        assert effects() == []

    def test_a_restored_database_is_read_on_from_its_own_position(self, broker: MemoryBroker) -> None:
        broker.append(*map(opened, range(10)))
        loop = started()
        Position.objects.update(position=6)
        broker.append(opened(10))
        turn(loop, until=lambda: loop.idle)

        assert effects() == opened_ids(*range(10), *range(6, 11)), "the effects since the restored position are made again"


class TestFenceWithoutMessages:
    """At the end of its log a consumer looks after its rows, too."""

    @pytest.fixture(autouse=True)
    def looking(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(membership, "VERIFY_SECONDS", 0.0)

    def test_an_older_database_is_noticed_and_read_on_from_its_position(self, broker: MemoryBroker) -> None:
        broker.append(*map(opened, range(10)))
        loop = started()
        Position.objects.update(position=6)
        turn(loop, until=lambda: len(effects()) == 14)

        assert effects() == opened_ids(*range(10), *range(6, 10))
        assert positions().read() == {0: 10}

    def test_the_rows_of_an_older_database_may_not_be_there_at_all(self, broker: MemoryBroker) -> None:
        broker.append(opened(1))
        loop = started()
        Position.objects.all().delete()
        turn(loop, until=lambda: len(effects()) == 2)

        assert effects() == opened_ids(1, 1)

    def test_what_another_process_claimed_is_not_claimed_again_before_the_group_has_spoken(self, two_partitions: MemoryBroker) -> None:
        loop = started()
        [thief] = claimed(1).values()
        two_partitions.members[0].revoke(1)
        for _ in range(3):
            loop.run_once()

        assert set(loop.membership.claims) == {0}
        assert loop.tally.retries == 1, "it paused, so that two of them do not take turns as fast as they can"
        assert Position.objects.get(partition=1).owner == thief.owner

    def test_what_another_process_claimed_is_claimed_again_while_it_stays_assigned(self, broker: MemoryBroker) -> None:
        loop = started()
        [thief] = claimed(0).values()
        broker.append(opened(1))
        turn(loop, until=effects)

        assert positions().alone(thief, 0, 1) == 0

    def test_what_is_kept_of_a_row_that_is_no_longer_ours_is_dropped_and_read_again(self, broker: MemoryBroker, doors: Doors) -> None:
        def fail(ids: list[str]) -> None:
            if len(doors.calls) == 1:
                raise database_error("40001")

        doors.fails = fail
        loop = started()
        broker.append(*map(opened, range(5)))
        turn(loop, until=lambda: doors.calls)
        Position.objects.update(owner=uuid(1))
        turn(loop, until=lambda: positions().read() == {0: 5})
        for _ in range(5):
            loop.run_once()

        assert doors.calls == [opened_ids(*range(5))] * 2
        assert effects() == opened_ids(*range(5))

    def test_the_owner_says_that_it_lives(self, broker: MemoryBroker) -> None:
        loop = started()
        Position.objects.update(beat_at=None)
        loop.run_once()

        assert Position.objects.get().beat_at is not None


class TestRebalance:
    def test_a_revoke_in_the_middle_of_a_retry_drops_only_that_partition(self, two_partitions: MemoryBroker, doors: Doors) -> None:
        loop = started()

        def fail(ids: list[str]) -> None:
            if len(doors.calls) == 2:
                two_partitions.members[0].revoke(1)
            if len(doors.calls) < 4:
                raise database_error("40001")

        doors.fails = fail
        two_partitions.append(opened(1), opened(2))
        two_partitions.append(opened(3), opened(4), partition=1)
        turn(loop, until=lambda: loop.idle)
        for _ in range(10):
            loop.run_once()

        assert doors.calls == [opened_ids(1, 2, 3, 4)] * 2 + [opened_ids(1, 2)] * 2
        assert effects() == opened_ids(1, 2)
        assert positions().read() == {0: 2, 1: 0}
        assert Position.objects.get(partition=1).owner is None

    def test_a_revoke_in_the_middle_of_a_search_for_poison_drops_the_halves_too(self, two_partitions: MemoryBroker, doors: Doors) -> None:
        loop = started()

        def fail(ids: list[str]) -> None:
            if doors.calls.count(opened_ids(1)) == 1:
                two_partitions.members[0].revoke(1)
            if opened(1).id in ids:
                raise ValueError

        doors.fails = fail
        two_partitions.append(opened(1), opened(2))
        two_partitions.append(opened(3), opened(4), partition=1)
        turn(loop, until=lambda: positions().read()[0] == 2)

        assert effects() == opened_ids(2)
        assert positions().read() == {0: 2, 1: 0}

    def test_a_partition_that_comes_back_goes_on_at_its_position(self, two_partitions: MemoryBroker, doors: Doors) -> None:
        loop = started()
        two_partitions.append(opened(1), partition=1)
        turn(loop, until=lambda: effects())
        two_partitions.members[0].revoke(1)
        loop.run_once()
        two_partitions.append(opened(2), partition=1)
        loop.run_once()
        assert effects() == opened_ids(1)

        two_partitions.members[0].assign(1)
        turn(loop, until=lambda: len(effects()) == 2)

        assert effects() == opened_ids(1, 2)

    def test_what_was_applied_is_committed_to_kafka_before_a_partition_goes(self, broker: MemoryBroker) -> None:
        loop = started()
        broker.append(opened(1))
        loop._commit_at = float("inf")
        turn(loop, until=lambda: effects())
        broker.members[0].revoke(0)
        loop.run_once()

        assert broker.committed[0] == 1


def test_what_came_of_other_partitions_with_a_lost_offset_is_read_again(two_partitions: MemoryBroker) -> None:
    loop = started()
    two_partitions.append(opened(1), opened(2))
    two_partitions.members[0].next[1] = 99
    turn(loop, until=lambda: loop.idle)
    two_partitions.append(opened(3))
    turn(loop, until=lambda: loop.idle)

    assert effects() == opened_ids(1, 2, 3)


class Killed(BaseException):
    """The process is gone: nothing is released, no group is left."""


class TestMessageThatKills:
    def live_until_killed(self) -> None:
        with pytest.raises(Killed):
            turn(Loop(CONSUMER), until=lambda: False)

    def test_it_becomes_a_dead_letter_and_every_other_message_is_applied_once(self, broker: MemoryBroker, doors: Doors) -> None:
        def kill(ids: list[str]) -> None:
            if opened(5).id in ids:
                raise Killed

        doors.fails = kill
        broker.append(*map(opened, range(10)))
        deaths = 0
        while not DeadLetter.objects.exists() and deaths < 20:
            try:
                turn(Loop(CONSUMER), until=lambda: DeadLetter.objects.exists())
            except Killed:
                deaths += 1
        assert 3 <= deaths <= 8
        run()

        assert effects() == opened_ids(*(n for n in range(10) if n != 5))
        assert [(letter.identity, letter.reason, letter.attempts) for letter in DeadLetter.objects.all()] == [
            (opened(5).id, "killed the process", 3)
        ]

    def test_a_process_that_dies_once_harms_no_message(self, broker: MemoryBroker, doors: Doors) -> None:
        def kill(ids: list[str]) -> None:
            raise Killed

        doors.fails = kill
        broker.append(*map(opened, range(10)))
        self.live_until_killed()
        doors.fails = None
        run()

        assert doors.calls == [opened_ids(*range(10))] * 2 and not DeadLetter.objects.exists()

    def test_deaths_of_consumers_that_had_nothing_to_do_make_no_later_message_run_alone(self, broker: MemoryBroker, doors: Doors) -> None:
        for _ in range(4):
            started()
        loop = started()
        broker.append(*map(opened, range(10)))
        run(loop)

        assert doors.calls == [opened_ids(*range(10))]

    def test_only_messages_that_the_dead_may_have_had_in_hand_run_alone(self, broker: MemoryBroker, doors: Doors) -> None:
        broker.append(*map(opened, range(2)))
        for _ in range(3):
            claimed()
        loop = Loop(CONSUMER)
        loop.run_once()
        broker.members[-1].at_next_poll(lambda: broker.append(*map(opened, range(2, 10))))
        run(loop)

        assert doors.calls == [opened_ids(0), opened_ids(1), opened_ids(*range(2, 10))]
