"""A consumer that somebody paused: it stays in its group and applies nothing, until it is resumed."""

from datetime import timedelta

import pytest

from consumers import membership, pausing, receiving
from consumers.health import State
from consumers.loop import Loop
from consumers.models import Pause, Position
from consumers.receiving import SendAgain, receive
from consumers.tests.memory_broker import MemoryBroker
from consumers.tests.running import opened_ids, run, started, turn
from consumers.tests.stubs import CONSUMER, NOW, Doors, effects, opened, positions
from consumers.tests.test_failures import database_error
from kafka_shop.messaging.envelope import seal, to_json

pytestmark = pytest.mark.usefixtures("effects_table")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops look in every turn."""
    monkeypatch.setattr(pausing, "LOOK_SECONDS", 0.0)


def pause() -> None:
    pausing.pause(name=CONSUMER, by="eve", now=NOW)


def resume() -> None:
    assert pausing.resume(name=CONSUMER)


def paused(loop: Loop) -> Loop:
    turn(loop, until=lambda: set(loop.membership.states().values()) == {State.PAUSED})
    return loop


def turns(loop: Loop, count: int = 5) -> None:
    for _ in range(count):
        loop.run_once()


def test_a_paused_consumer_applies_nothing_until_it_is_resumed(broker: MemoryBroker) -> None:
    broker.append(opened(1))
    loop = started()
    pause()
    paused(loop)
    broker.append(opened(2), opened(3))
    turns(loop)
    assert (effects(), positions().read()) == (opened_ids(1), {0: 1})

    resume()
    turn(loop, until=lambda: loop.idle)

    assert (effects(), positions().read()) == (opened_ids(1, 2, 3), {0: 3})
    assert loop.membership.states() == {"0": State.OK}


def test_it_keeps_its_place_in_the_group(broker: MemoryBroker) -> None:
    loop = started()
    owner = Position.objects.get().owner
    pause()
    paused(loop)
    turns(loop)
    assert Position.objects.get().owner == owner
    assert [member.closed for member in broker.members] == [False]


def test_the_wish_is_kept_over_a_restart(broker: MemoryBroker) -> None:
    pause()
    broker.append(opened(1))
    paused(Loop(CONSUMER)).close()
    loop = paused(Loop(CONSUMER))
    turns(loop)
    assert effects() == []
    resume()
    assert run(loop).tally.messages == 1


def test_a_partition_that_comes_to_a_paused_consumer_stands_still(broker: MemoryBroker) -> None:
    loop = started()
    pause()
    paused(loop)
    broker.members[0].revoke(0)
    broker.members[0].assign(0)
    broker.append(opened(1))
    turns(loop)
    paused(loop)
    assert (effects(), broker.members[0].flowing) == ([], set())


def test_what_is_in_hand_waits_and_is_not_lost(broker: MemoryBroker, doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    wish: list[str] = []
    monkeypatch.setattr(pausing, "is_paused", lambda name: bool(wish))
    broker.append(opened(1), opened(2))

    def fail(ids: list[str]) -> None:
        wish.append(CONSUMER)
        raise database_error("40001")

    doors.fails = fail
    loop = paused(Loop(CONSUMER))
    tried = len(doors.calls)
    turns(loop)
    assert len(doors.calls) == tried > 0

    doors.fails = None
    wish.clear()
    turn(loop, until=lambda: loop.idle)
    assert effects() == opened_ids(1, 2)


def test_a_wait_does_not_wake_a_paused_consumer(broker: MemoryBroker) -> None:
    loop = started()
    pause()
    paused(loop)
    loop._wait(0.001)
    assert broker.members[0].flowing == set()


def test_a_client_that_is_paused_is_not_taken_for_a_deaf_one(broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "VERIFY_SECONDS", 0.0)
    loop = started()
    pause()
    paused(loop)
    broker.append(opened(1))
    turns(loop, 20)
    assert len(broker.members) == 1
    assert loop.membership.states() == {"0": State.PAUSED}


def test_only_the_consumer_that_is_meant_stands_still(broker: MemoryBroker) -> None:
    pausing.pause(name="notify", by="eve", now=NOW)
    broker.append(opened(1))
    run()
    assert effects() == opened_ids(1)


def test_a_wish_twice_keeps_who_had_it_first(db: None) -> None:
    pause()
    pausing.pause(name=CONSUMER, by="frank", now=NOW + timedelta(hours=1))
    assert Pause.objects.values_list("consumer", "by", "since").get() == (CONSUMER, "eve", NOW)
    resume()
    assert not pausing.resume(name=CONSUMER)


def test_over_http_a_paused_service_takes_nothing_until_it_is_resumed(broker: MemoryBroker) -> None:
    body = [to_json(seal(opened(1)))]
    pause()
    for events in (body, []):  # a sender asks with an empty request whether any would be taken
        with pytest.raises(receiving.Paused, match="billing is paused") as raised:
            receive(CONSUMER, events)
        assert isinstance(raised.value, SendAgain)
    assert effects() == []

    resume()
    receive(CONSUMER, body)

    assert effects() == opened_ids(1)
