"""The loop on connections that break: the next turn has a new one."""

from collections.abc import Callable

import pytest
from django.db import OperationalError, connection

from consumers import membership
from consumers.loop import Loop
from consumers.models import Position
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import opened_ids, run, started, turn
from consumers.tests.stubs import CONSUMER, Doors, effects, opened
from kafka_shop.databases import run as sql
from tests.sessions import second_session

pytestmark = pytest.mark.usefixtures("committed_effects_table")

KILL = "SELECT pg_terminate_backend(pg_backend_pid())"
KILL_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def once(work: Callable[[], object]) -> Callable[[list[str]], None]:
    left = [work]

    def do(ids: list[str]) -> None:
        if left:
            left.pop()()

    return do


def test_a_connection_that_breaks_in_a_batch_costs_one_retry(broker: MemoryBroker, doors: Doors) -> None:
    doors.fails = once(lambda: sql("default", KILL))
    broker.append(*map(opened, range(3)))

    loop = run()

    assert doors.calls == [opened_ids(0, 1, 2)] * 2
    assert effects() == opened_ids(0, 1, 2)
    assert loop.tally.retries == 1 and Position.objects.get().owner is None


def test_a_commit_whose_answer_is_lost_is_found_done_by_the_fence(
    broker: MemoryBroker, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = connection._commit  # type: ignore[attr-defined]  # the stub lacks it
    lost: list[str] = []

    def commit_without_an_answer() -> None:
        commit()
        if effects() and not lost:
            lost.append("the answer")
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(connection, "_commit", commit_without_an_answer)
    broker.append(*map(opened, range(3)))

    run()

    assert lost and doors.calls == [opened_ids(0, 1, 2)]
    assert effects() == opened_ids(0, 1, 2)


def test_a_connection_that_breaks_between_two_batches_is_replaced(broker: MemoryBroker) -> None:
    loop = Loop(CONSUMER)
    broker.append(opened(1))
    turn(loop, until=lambda: loop.idle)
    with second_session() as other:
        other.execute(KILL_OTHERS)
    broker.append(opened(2))

    run(loop)

    assert effects() == opened_ids(1, 2)


def test_a_database_that_is_away_when_partitions_come_is_waited_for(broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    broker.append(opened(1))
    loop = Loop(CONSUMER)
    loop.run_once()
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", "1")
        for _ in range(3):
            loop.run_once()
    run(loop)

    assert effects() == opened_ids(1)
    assert loop.tally.retries == 3


def test_an_outage_that_is_over_does_not_make_the_next_pause_longer(broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "VERIFY_SECONDS", 0.0)
    loop = started()
    connection.close()
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "PORT", "1")
        for _ in range(3):
            loop.run_once()
    assert loop._failures == 3
    turn(loop, until=lambda: loop.idle)
    loop.run_once()

    assert loop._failures == 0
    loop.close()
