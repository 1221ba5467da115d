"""When a batch fails: what only time can help is repeated, poison is found and set aside, and everything else is applied once."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError
from pytest_django import Settings

from consumers.dead_letters import Flooded
from consumers.models import DeadLetter
from consumers.tests.memory_broker import MemoryBroker, MemorySubscription
from consumers.tests.running import opened_ids, run
from consumers.tests.stubs import Doors, closed, effects, opened, outbox, positions, raw
from consumers.tests.test_failures import database_error
from kafka_shop.databases import run as sql
from kafka_shop.messaging.events import Conflict
from kafka_shop.messaging.kafka import Record

pytestmark = pytest.mark.usefixtures("effects_table")

Failure = Callable[[list[str]], None]


def times(count: int, error: Exception) -> Failure:
    """Fails the first `count` calls."""
    left = [error] * count

    def fail(ids: list[str]) -> None:
        if left:
            raise left.pop()

    return fail


def poison(*numbers: int, error: Exception | None = None) -> Failure:
    """Fails every call that has one of these events in it."""
    wrong = set(opened_ids(*numbers))

    def fail(ids: list[str]) -> None:
        if wrong & set(ids):
            raise error or Conflict("a door is gone")

    return fail


def dead() -> list[tuple[str, int, str]]:
    return list(DeadLetter.objects.order_by("offset").values_list("identity", "attempts", "reason"))


def test_the_one_poison_among_1000_is_found_and_the_rest_is_applied_in_order(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = poison(637)
    broker.append(*map(opened, range(1000)))

    run()

    assert dead() == [(opened(637).id, 3, "Conflict: a door is gone")]
    assert effects() == opened_ids(*(n for n in range(1000) if n != 637))
    assert positions().read() == {0: 1000}
    assert len(doors.calls) <= 2 * 10 + 3 + 1, "halves, not one by one"


def test_several_poisons_are_each_found(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = poison(0, 1, 50, 99)
    broker.append(*map(opened, range(100)))

    run()

    assert [identity for identity, _, _ in dead()] == opened_ids(0, 1, 50, 99)
    assert len(effects()) == 96


def test_a_message_that_fails_by_itself_has_its_attempts_counted(broker: MemoryBroker, doors: Doors, settings: Settings) -> None:
    settings.MESSAGE_ATTEMPTS = 5
    doors.fails = poison(1)
    broker.append(opened(1))

    loop = run()

    assert doors.calls == [opened_ids(1)] * 5
    assert dead() == [(opened(1).id, 5, "Conflict: a door is gone")]
    assert loop.tally.dead_letters == 1


def test_a_message_that_is_well_on_its_last_attempt_is_applied(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = times(2, Conflict("not yet"))
    broker.append(opened(1))

    run()

    assert effects() == opened_ids(1) and dead() == []


def test_the_messages_behind_a_poison_of_the_same_customer_wait_for_it(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = poison(1)
    broker.append(opened(1, customer=1), closed(1, customer=1), opened(2, customer=1))

    run()

    lone = doors.calls.index(opened_ids(1))
    assert all(call == opened_ids(1) for call in doors.calls[lone : lone + 3])
    assert effects() == [closed(1).id, opened(2).id]


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "53300", "08006", "57P01"])
def test_a_transient_error_repeats_the_whole_batch_and_counts_no_attempt(broker: MemoryBroker, doors: Doors, code: str) -> None:
    doors.fails = times(7, database_error(code, OperationalError))
    broker.append(*map(opened, range(10)))

    loop = run()

    assert doors.calls == [opened_ids(*range(10))] * 8
    assert effects() == opened_ids(*range(10)) and dead() == []
    assert loop.tally.retries == 7


def test_a_transient_error_of_a_lone_message_counts_no_attempt(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = times(7, database_error("40001"))
    broker.append(opened(1))

    run()

    assert effects() == opened_ids(1) and dead() == []


def test_what_comes_while_a_batch_is_repeated_is_kept_behind_it(broker: MemoryBroker, doors: Doors) -> None:
    def fail_and_publish(ids: list[str]) -> None:
        if len(doors.calls) < 4:
            broker.append(opened(100 + len(doors.calls)))
            raise database_error("40001")

    doors.fails = fail_and_publish
    broker.append(opened(1), opened(2))

    run()

    assert effects() == opened_ids(1, 2, 101, 102, 103)


def test_while_a_batch_waits_the_partitions_are_paused_and_the_group_is_polled(
    broker: MemoryBroker, doors: Doors, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RETRY_BACKOFF_MS = (20, 20)
    flowing: list[set[int]] = []
    take = MemorySubscription.take

    def watched(self: MemorySubscription, limit: int, timeout: float) -> list[Record]:
        if len(doors.calls) == 1:
            flowing.append(set(self.flowing))
        return take(self, limit, timeout)

    monkeypatch.setattr(MemorySubscription, "take", watched)
    doors.fails = times(1, database_error("40001"))
    broker.append(opened(1))

    run()

    assert len(flowing) > 1 and not any(flowing)
    assert effects() == opened_ids(1)


def test_a_lost_race_is_run_once_more_as_a_whole(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = times(1, database_error("23505"))
    broker.append(*map(opened, range(10)))

    run()

    assert doors.calls == [opened_ids(*range(10))] * 2
    assert dead() == []


def test_a_race_that_is_lost_again_is_poison(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = poison(3, error=database_error("23505"))
    broker.append(*map(opened, range(4)))

    run()

    assert doors.calls[:3] == [opened_ids(0, 1, 2, 3), opened_ids(0, 1, 2, 3), opened_ids(0, 1)]
    assert dead() == [(opened(3).id, 3, "DatabaseError 23505")]
    assert effects() == opened_ids(0, 1, 2)


def test_a_statement_that_takes_too_long_is_cut_in_halves_and_alone_is_only_repeated(broker: MemoryBroker, doors: Doors) -> None:
    left = {opened(3).id: 6}

    def too_slow(ids: list[str]) -> None:
        if len(ids) > 2 or (opened(3).id in ids and left[opened(3).id]):
            left[opened(3).id] -= len(ids) == 1
            raise database_error("57014")

    doors.fails = too_slow
    broker.append(*map(opened, range(8)))

    run()

    assert effects() == opened_ids(*range(8)) and dead() == []


def test_a_wrong_deployment_stops_the_consumer_and_nothing_is_written(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = times(1, database_error("42P01", ProgrammingError))
    broker.append(*map(opened, range(3)), closed(1))

    with pytest.raises(ProgrammingError):
        run()

    assert doors.calls == [opened_ids(0, 1, 2)]
    assert effects() == [] and dead() == [] and outbox() == [] and positions().read() == {0: 0}
    assert broker.members[0].closed, "the group goes on without a consumer that cannot"


def test_a_flood_stops_the_consumer_before_the_dead_letters_of_the_flood(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = times(10**6, Conflict("a bug was deployed"))
    broker.append(*map(opened, range(300)))

    with pytest.raises(Flooded):
        run()
    before = DeadLetter.objects.count()
    with pytest.raises(Flooded):
        run()

    assert before == DeadLetter.objects.count() == 100
    assert positions().read() == {0: 100}


def test_a_flood_in_one_batch_is_not_written_in_halves(broker: MemoryBroker) -> None:
    for offset in range(150):
        broker.put(raw(offset, [], b"?"))

    with pytest.raises(Flooded):
        run()

    assert not DeadLetter.objects.exists() and positions().read() == {0: 0}


def test_a_dead_letter_that_cannot_be_written_stops_the_consumer(broker: MemoryBroker, doors: Doors) -> None:
    sql("default", "ALTER TABLE consumers_deadletter ADD CHECK (reason = '') NOT VALID")
    doors.fails = poison(2)
    broker.append(*map(opened, range(4)))

    with pytest.raises(IntegrityError):
        run()

    assert effects() == opened_ids(0, 1) and positions().read() == {0: 2}
