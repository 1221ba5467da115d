"""A batch whose transaction really ends: what a failing commit, a broken connection and another session see."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, OperationalError, connection

from consumers import batch
from consumers.failures import Fenced
from consumers.positions import Claim
from consumers.tests.stubs import NOW, Doors, claimed, closed, effects, items_of, log_of, opened, outbox, positions, raw
from kafka_shop.databases import run
from tests.sessions import second_session

pytestmark = pytest.mark.usefixtures("committed_effects_table")


def apply(claims: dict[int, Claim], during: Callable[[list[str]], None] | None = None) -> int:
    items = items_of(log_of([opened(1)]))
    return batch.apply(items, handlers=Doors(fails=during).handlers, positions=positions(), claims=claims, now=NOW)


def nothing_was_written() -> bool:
    return effects() == [] and outbox() == [] and positions().read() == {0: 0}


def break_at_commit(ids: list[str]) -> None:
    """Leaves work for the commit that cannot be done then."""
    run("default", "CREATE TEMPORARY TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP")
    run("default", "INSERT INTO late VALUES (1), (1)")


def break_the_connection(ids: list[str]) -> None:
    run("default", "SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_commit_that_fails_leaves_nothing_and_the_claim_where_it_was() -> None:
    claims = claimed()

    with pytest.raises(IntegrityError):
        apply(claims, break_at_commit)

    assert nothing_was_written() and claims[0].position == 0
    assert apply(claims) == 1


def test_a_connection_that_breaks_leaves_nothing_and_the_next_try_goes_through() -> None:
    claims = claimed()

    with pytest.raises(OperationalError):
        apply(claims, break_the_connection)

    connection.close()
    assert nothing_was_written()
    assert apply(claims) == 1
    assert effects() == [opened(1).id]


def test_after_a_commit_whose_answer_was_lost_the_fence_tells() -> None:
    claims = claimed()
    apply(claims)
    claims[0].position = 0  # what a process knows that never heard of its commit

    with pytest.raises(Fenced):
        apply(claims)

    assert effects() == [opened(1).id]
    assert claimed()[0].position == 1


def test_nobody_sees_a_part_of_a_batch() -> None:
    seen: list[tuple[object, ...]] = []

    def look(ids: list[str]) -> None:
        with second_session() as other:
            for table in ("effects", "messaging_outboxrow"):
                seen.extend(other.execute(f"SELECT * FROM {table}").fetchall())
            seen.extend(other.execute("SELECT 1 FROM consumers_position WHERE position > 0").fetchall())

    apply(claimed(), look)

    assert seen == []


@pytest.mark.parametrize("refused", [False, True])
def test_a_batch_of_500_takes_as_many_statements_as_one_event_of_each_type(refused: bool, statements: list[str]) -> None:
    def statements_for(count: int, start: int) -> int:
        records = log_of([(opened if n % 2 else closed)(n) for n in range(start, start + count)], start=start)
        records += [raw(start + count, [], b"?")] if refused else []
        claims = claimed()
        statements.clear()
        batch.apply(items_of(records), handlers=Doors().handlers, positions=positions(), claims=claims, now=NOW)
        return len(statements)

    assert statements_for(2, 0) == statements_for(500, 10) == (9 if refused else 7)
