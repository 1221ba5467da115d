"""A courier beside others: couriers, writers and vacuum go on while the destination is waited for."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import pytest

from kafka_shop.databases import rows, run
from kafka_shop.messaging.relay import Courier
from kafka_shop.messaging.tests.carrying import Carrier, publish, turn, waiting
from kafka_shop.messaging.tests.stubs import said, several
from tests.sessions import in_own_session, second_session

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """A thread beside the test."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def meet(here: Flag, there: Flag) -> Callable[[], object]:
    """Says that it is here and waits until the other goes on."""

    def wait() -> None:
        here.set()
        assert there.wait(10)

    return wait


def test_two_couriers_of_a_destination_exclude_each_other(courier: Courier, carrier: Carrier, other: ThreadPoolExecutor) -> None:
    publish(*several(2))
    second, working, go_on = Carrier(), Flag(), Flag()
    carrier.during = meet(working, go_on)

    first_turn = other.submit(in_own_session(lambda: turn(courier)))
    working.wait(10)
    assert turn(Courier("default", "order-topic", second)) == 0
    go_on.set()

    assert first_turn.result() == 2
    assert second.windows == []


def test_couriers_of_other_destinations_work_side_by_side(courier: Courier, carrier: Carrier, other: ThreadPoolExecutor) -> None:
    publish(said())
    run("default", "INSERT INTO messaging_outboxrow SELECT number + 1, 'billing-topic', event_id, key, event, false, 0, NULL, '', now()"
        " FROM messaging_outboxrow")  # fmt: skip
    working, go_on, second = Flag(), Flag(), Carrier()
    carrier.during = meet(working, go_on)

    first_turn = other.submit(in_own_session(lambda: turn(courier)))
    working.wait(10)
    assert turn(Courier("default", "billing-topic", second)) == 1
    go_on.set()

    assert first_turn.result() == 1


LOOK = """
SELECT backend_xid IS NULL, backend_xmin IS NULL, state FROM pg_stat_activity
WHERE datname = current_database() AND pid = %s
"""


def test_while_the_destination_is_waited_for_vacuum_and_other_sessions_go_on(courier: Courier, carrier: Carrier) -> None:
    publish(*several(2))
    [(pid,)] = rows("default", "SELECT pg_backend_pid()")
    seen: list[object] = []

    def look() -> None:
        with second_session() as session:
            seen.extend(session.execute(LOOK, [pid]).fetchall())
            seen.append(len(session.execute("SELECT number FROM messaging_outboxrow FOR UPDATE NOWAIT").fetchall()))

    carrier.during = look
    turn(courier)

    assert seen == [(True, True, "idle in transaction"), 2]


def test_a_fact_that_is_published_again_while_it_is_carried_waits_for_nobody(courier: Courier, carrier: Carrier) -> None:
    [number] = publish(said())

    def again() -> None:
        with second_session() as session:
            session.execute("SET lock_timeout = '1s'")
            session.execute(
                "INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)"
                " SELECT destination, event_id, key, event, true, 0, '', now() FROM messaging_outboxrow ON CONFLICT DO NOTHING"
            )
            session.commit()

    carrier.during = again

    assert turn(courier) == 1
    assert carrier.windows == [[number]] and waiting() == []
