"""Partitions come and go, processes die, logs change: nothing is applied twice, nothing is passed over."""

import pytest
from pytest_django import Settings

from consumers import membership
from consumers.loop import Loop
from consumers.membership import PositionLost
from consumers.models import DeadLetter, Position
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import opened_ids, run, turn
from consumers.tests.stubs import CONSUMER, Doors, claimed, effects, log_of, opened, positions
from consumers.tests.test_failures import database_error

pytestmark = pytest.mark.usefixtures("effects_table")


@pytest.fixture
def two_partitions(broker: MemoryBroker) -> MemoryBroker:
    broker.logs, broker.low = {0: [], 1: []}, {0: 0, 1: 0}
    return broker


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity of the logs is looked at in every turn."""
    monkeypatch.setattr(membership, "VERIFY_SECONDS", 0.0)


def started() -> Loop:
    """A consumer that has claimed its partitions and read everything."""
    loop = Loop(CONSUMER)
    turn(loop, until=lambda: loop.idle)
    return loop


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

    def test_a_restored_database_is_read_on_from_its_own_position(self, broker: MemoryBroker) -> None:
        broker.append(*map(opened, range(10)))
        loop = started()
        Position.objects.update(position=6)
        broker.append(opened(10))
        turn(loop, until=lambda: loop.idle)

        assert effects() == opened_ids(*range(10), *range(6, 11)), "the effects since the restored position are made again"


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
        turn(loop, until=lambda: effects())

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
        run()

        assert effects() == opened_ids(*(n for n in range(10) if n != 5))
        assert [(letter.identity, letter.reason, letter.attempts) for letter in DeadLetter.objects.all()] == [
            (opened(5).id, "killed the process", 3)
        ]
        assert 3 <= deaths <= 8

    def test_a_process_that_dies_once_harms_no_message(self, broker: MemoryBroker, doors: Doors) -> None:
        def kill(ids: list[str]) -> None:
            raise Killed

        doors.fails = kill
        broker.append(*map(opened, range(10)))
        self.live_until_killed()
        doors.fails = None
        run()

        assert doors.calls == [opened_ids(*range(10))] * 2 and not DeadLetter.objects.exists()


class TestLogs:
    def test_a_new_log_is_read_from_its_beginning(self, broker: MemoryBroker) -> None:
        broker.append(*map(opened, range(5)))
        run()
        broker.begin_anew()
        broker.append(*map(opened, range(10, 17)))
        run()

        assert effects() == opened_ids(*range(5), *range(10, 17))

    @pytest.mark.usefixtures("looking")
    @pytest.mark.parametrize("count", [2, 9])
    def test_a_log_that_is_replaced_under_a_running_consumer_is_noticed(self, broker: MemoryBroker, count: int) -> None:
        broker.append(*map(opened, range(5)))
        loop = started()
        broker.begin_anew()
        broker.append(*map(opened, range(10, 10 + count)))
        turn(loop, until=lambda: len(effects()) == 5 + count)

        assert effects() == opened_ids(*range(5), *range(10, 10 + count))

    def test_a_log_with_the_same_name_and_another_message_at_the_anchor_is_a_new_one(self, broker: MemoryBroker) -> None:
        broker.append(*map(opened, range(5)))
        run()
        broker.logs[0] = log_of(map(opened, range(10, 20)))
        run()

        assert effects() == opened_ids(*range(5), *range(10, 20))

    def test_what_retention_deleted_behind_the_position_does_not_matter(self, broker: MemoryBroker) -> None:
        broker.append(*map(opened, range(5)))
        run()
        broker.drop_until(0, 5)
        broker.append(opened(5))
        run()

        assert effects() == opened_ids(*range(6))

    def test_a_lost_range_stops_the_consumer_with_its_remedy(self, broker: MemoryBroker, settings: Settings) -> None:
        broker.topic_id = "topic-1"
        broker.append(*map(opened, range(5)))
        run()
        broker.append(*map(opened, range(5, 20)))
        broker.drop_until(0, 10)

        with pytest.raises(PositionLost, match=r"order-topic\[0\] no longer has offset 5, where billing stands.*--from earliest"):
            run()

        assert effects() == opened_ids(*range(5))
        assert positions().read() == {0: 5}

    @pytest.mark.usefixtures("looking")
    def test_a_client_that_went_deaf_is_replaced(self, broker: MemoryBroker) -> None:
        loop = started()
        broker.members[0].deaf = True
        broker.append(opened(1))
        turn(loop, until=lambda: effects())

        assert [member.closed for member in broker.members] == [True, False]
        assert effects() == opened_ids(1)
