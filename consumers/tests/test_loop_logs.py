"""The log under a consumer changes: it is noticed, and no position of one log is used on another."""

import pytest

from consumers import membership
from consumers.membership import PositionLost
from consumers.models import DeadLetter, Position
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import opened_ids, run, started, turn
from consumers.tests.stubs import Doors, effects, log_of, opened, positions
from consumers.tests.test_failures import database_error
from kafka_shop.messaging.kafka import BrokerAway, ClientLost, Watermarks

pytestmark = pytest.mark.usefixtures("effects_table")


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity of the logs is looked at in every turn."""
    monkeypatch.setattr(membership, "VERIFY_SECONDS", 0.0)


def test_a_new_log_is_read_from_its_beginning(broker: MemoryBroker) -> None:
    broker.append(*map(opened, range(5)))
    run()
    broker.begin_anew()
    broker.append(*map(opened, range(10, 17)))
    run()

    assert effects() == opened_ids(*range(5), *range(10, 17))


@pytest.mark.usefixtures("looking")
@pytest.mark.parametrize("count", [2, 9])
def test_a_log_that_is_replaced_under_a_running_consumer_is_noticed(broker: MemoryBroker, count: int) -> None:
    broker.append(*map(opened, range(5)))
    loop = started()
    broker.begin_anew()
    broker.append(*map(opened, range(10, 10 + count)))
    turn(loop, until=lambda: len(effects()) == 5 + count)

    assert effects() == opened_ids(*range(5), *range(10, 10 + count))


@pytest.mark.usefixtures("looking")
def test_what_is_kept_of_a_log_that_is_gone_is_dropped(broker: MemoryBroker, doors: Doors) -> None:
    def fail(ids: list[str]) -> None:
        if len(doors.calls) == 1:
            broker.begin_anew()
            broker.append(*map(opened, range(10, 13)))
            raise database_error("40001")

    doors.fails = fail
    broker.append(*map(opened, range(5)))
    run()

    assert doors.calls == [opened_ids(*range(5)), opened_ids(*range(10, 13))]
    assert effects() == opened_ids(*range(10, 13)) and positions().read() == {0: 3}
    assert not DeadLetter.objects.exists()


def test_whatever_kafka_has_as_committed_a_partition_without_a_row_is_read_from_its_beginning(broker: MemoryBroker) -> None:
    broker.append(*map(opened, range(5)))
    run()
    assert broker.committed == {0: 5}
    Position.objects.all().delete()
    run()

    assert effects() == opened_ids(*range(5), *range(5))


def test_a_log_with_the_same_name_and_another_message_at_the_anchor_is_a_new_one(broker: MemoryBroker) -> None:
    broker.append(*map(opened, range(5)))
    run()
    broker.logs[0] = log_of(map(opened, range(10, 20)))
    run()

    assert effects() == opened_ids(*range(5), *range(10, 20))


def test_what_retention_deleted_behind_the_position_does_not_matter(broker: MemoryBroker) -> None:
    broker.append(*map(opened, range(5)))
    run()
    broker.drop_until(0, 5)
    broker.append(opened(5))
    run()

    assert effects() == opened_ids(*range(6))


def test_a_lost_range_stops_the_consumer_with_its_remedy(broker: MemoryBroker) -> None:
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
def test_a_client_that_went_deaf_is_replaced(broker: MemoryBroker) -> None:
    loop = started()
    broker.members[0].deaf = True
    broker.append(opened(1))
    turn(loop, until=lambda: effects())

    assert [member.closed for member in broker.members] == [True, False]
    assert effects() == opened_ids(1)


def test_a_client_that_cannot_go_on_is_replaced_and_what_was_in_hand_is_read_again(broker: MemoryBroker, doors: Doors) -> None:
    def end() -> None:
        raise ClientLost("the group id does not exist")

    def fail(ids: list[str]) -> None:
        doors.fails = None
        broker.members[0].at_next_poll(end)
        raise database_error("40001")

    loop = started()
    doors.fails = fail
    broker.append(opened(1))
    turn(loop, until=effects)

    assert [member.closed for member in broker.members] == [True, False]
    assert effects() == opened_ids(1)


@pytest.mark.usefixtures("looking")
def test_an_inspector_that_no_longer_gets_an_answer_is_replaced(broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = started()

    def unanswered(topic: str, partition: int) -> Watermarks:
        raise BrokerAway("this one asks a broker that no longer leads")

    monkeypatch.setattr(loop.membership._logs._inspector, "watermarks", unanswered)
    broker.append(opened(1))
    turn(loop, until=effects)

    assert loop.tally.retries == 1
