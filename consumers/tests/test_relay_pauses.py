"""How long the relay leaves a receiver alone that asks for time, or is away."""

from threading import Event, Thread

import pytest
from pytest_django import Settings

from consumers import relay
from kafka_shop.messaging.http import Away
from kafka_shop.messaging.relay import Courier, Outcome
from kafka_shop.messaging.tests.carrying import publish, waiting
from kafka_shop.messaging.tests.stubs import said
from tests.sessions import eventually, in_own_session

pytestmark = pytest.mark.usefixtures("committed")


class Impatient(Event):
    """Notes how long it is asked to wait, and hardly waits."""

    asked: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout or 0)
        return super().wait(0.001)


def test_it_waits_as_long_as_the_receiver_says_with_jitter_and_keeps_the_facts(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    def carry(pending: object) -> Outcome:
        raise Away("busy", seconds=7)

    settings.TRANSPORT = "http"
    monkeypatch.setattr(Impatient, "asked", [])
    monkeypatch.setattr(relay, "Flag", Impatient)
    monkeypatch.setattr(relay, "couriers", lambda: [Courier("default", "order-topic", carry)])
    publish(said())
    running = relay.Relay()
    thread = Thread(target=in_own_session(running.run))
    thread.start()
    try:
        eventually(lambda: len(pauses()) >= 10)
    finally:
        running.stop()
        thread.join()

    assert all(3.5 <= pause <= 7 for pause in pauses())
    assert len(set(pauses())) > 5, "relays that were sent away at once do not come back at once"
    assert len(waiting()) == 1


def pauses() -> list[float]:
    """The relay's other waits are shorter."""
    return [seconds for seconds in Impatient.asked if seconds > 1]
