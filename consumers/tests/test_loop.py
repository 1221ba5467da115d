"""The loop when all is well: batches in order, once each, and a clean end."""

import pytest
from pytest_django import Settings

from consumers.loop import Loop
from consumers.models import Position
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import opened_ids, run, turn
from consumers.tests.stubs import CONSUMER, Doors, closed, effects, opened, outbox, positions, raw
from consumers.tests.test_failures import database_error

pytestmark = pytest.mark.usefixtures("effects_table")


def test_everything_is_applied_in_order_and_kafka_is_told(broker: MemoryBroker, doors: Doors) -> None:
    broker.append(*map(opened, range(10)))

    loop = run()

    assert doors.calls == [opened_ids(*range(10))]
    assert effects() == opened_ids(*range(10)) and len(outbox()) == 10
    assert broker.committed == {0: 10} and positions().read() == {0: 10}
    assert (loop.tally.messages, loop.tally.batches, loop.tally.dead_letters) == (10, 1, 0)


def test_a_batch_is_never_larger_than_the_setting(broker: MemoryBroker, doors: Doors, settings: Settings) -> None:
    settings.BATCH_SIZE = 4
    broker.append(*map(opened, range(10)))

    run()

    assert [len(call) for call in doors.calls] == [4, 4, 2]


def test_what_needs_a_ninth_wave_comes_in_the_next_batch(broker: MemoryBroker) -> None:
    events = [opened(n, customer=1) if n % 2 else closed(n, customer=1) for n in range(30)]
    broker.append(*events)

    loop = run()

    assert effects() == [event.id for event in events]
    assert loop.tally.batches == 4


def test_unreadable_and_foreign_messages_are_passed_over_and_told_apart(broker: MemoryBroker) -> None:
    foreign = [(name, b"another.type" if name == "ce_type" else value) for name, value in broker_headers(broker)]
    broker.put(raw(1, [], b"?"))
    broker.put(raw(2, foreign, b"?"))
    broker.append(opened(2))

    loop = run()

    assert effects() == opened_ids(1, 2)
    assert (loop.tally.messages, loop.tally.dead_letters, loop.tally.foreign) == (4, 1, 1)


def broker_headers(broker: MemoryBroker) -> list[tuple[str, bytes]]:
    """The headers of a good message, which is put first."""
    broker.append(opened(1))
    return [(name, value or b"") for name, value in broker.logs[0][0].headers]


def test_a_topic_without_messages_is_idle_at_once(broker: MemoryBroker) -> None:
    assert run().tally.messages == 0
    assert positions().read() == {0: 0}


def test_a_consumer_is_not_idle_before_it_has_looked(broker: MemoryBroker) -> None:
    loop = Loop(CONSUMER)

    assert not loop.idle
    loop.close()


def test_the_next_consumer_goes_on_where_the_last_one_ended(broker: MemoryBroker, doors: Doors) -> None:
    broker.append(opened(1))
    run()
    broker.append(opened(2))
    run()

    assert doors.calls == [opened_ids(1), opened_ids(2)]


def test_stopping_finishes_the_batch_in_hand_gives_the_partitions_back_and_leaves_the_group(broker: MemoryBroker, doors: Doors) -> None:
    loop = Loop(CONSUMER)
    doors.fails = lambda ids: loop.stop()
    broker.append(*map(opened, range(5)))

    loop.run()

    assert effects() == opened_ids(*range(5))
    assert broker.committed == {0: 5} and broker.members[0].closed
    assert Position.objects.get().owner is None


def test_stopping_does_not_wait_for_a_back_off_or_a_poison_to_end(broker: MemoryBroker, doors: Doors, settings: Settings) -> None:
    settings.RETRY_BACKOFF_MS = (60_000, 60_000)
    loop = Loop(CONSUMER)

    def fail(ids: list[str]) -> None:
        loop.stop()
        raise database_error("40001")

    doors.fails = fail
    broker.append(opened(1))

    loop.run()

    assert doors.calls == [opened_ids(1)]
    assert effects() == [] and positions().read() == {0: 0}


def test_a_lone_message_does_not_wait_for_a_batch_to_fill(broker: MemoryBroker, doors: Doors) -> None:
    loop = Loop(CONSUMER)
    turn(loop, until=lambda: not loop.membership.lag())
    for number in range(3):
        broker.append(opened(number))
        loop.run_once()
    loop.close()

    assert doors.calls == [opened_ids(0), opened_ids(1), opened_ids(2)]
