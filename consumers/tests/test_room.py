"""The relay holds back on the embedded broker, which drops what nobody has read, and on no other."""

from typing import Any

import pytest

from consumers import room
from consumers.room import MOST_MESSAGES, EmbeddedRoom
from kafka_shop.messaging.kafka import Inspector, Outgoing, Watermarks, send

TOPIC, GROUPS = "room-topic", ["shop.one", "shop.two"]


@pytest.fixture(autouse=True)
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.0)


def read(group: str) -> None:
    """Has a group read everything."""
    inspector = Inspector(group)
    inspector.commit(TOPIC, {number: inspector.watermarks(TOPIC, number).high for number in inspector.partitions(TOPIC)})
    inspector.close()


@pytest.mark.usefixtures("embedded_broker")
def test_the_relay_waits_until_every_group_has_read_enough() -> None:
    has_room = EmbeddedRoom(TOPIC, GROUPS)
    assert has_room()

    send(TOPIC, [Outgoing(number, "one key", [], b"x") for number in range(MOST_MESSAGES)], timeout=20)
    assert has_room()
    send(TOPIC, [Outgoing(0, "one key", [], b"x")], timeout=20)
    assert not has_room()

    read(GROUPS[0])
    assert not has_room()
    read(GROUPS[1])
    assert has_room()


class RealBroker:
    """An inspector of a broker that keeps everything, and whose groups have read nothing."""

    def __init__(self, group: str) -> None:
        pass

    def cluster_id(self, topic: str) -> str:
        return "5L6g3nShT-eMCtK--X86sw"

    def partitions(self, topic: str) -> list[int]:
        return [0]

    def committed(self, topic: str, partitions: Any) -> dict[int, int]:
        return {}

    def watermarks(self, topic: str, partition: int) -> Watermarks:
        return Watermarks(0, 10**9)


def test_on_a_real_broker_there_is_always_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "Inspector", RealBroker)

    assert EmbeddedRoom(TOPIC, GROUPS)()


def test_the_embedded_broker_is_known_by_its_cluster_id(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(RealBroker):
        def cluster_id(self, topic: str) -> str:
            return "mockCluster7f"

    monkeypatch.setattr(room, "Inspector", Full)

    assert not EmbeddedRoom(TOPIC, GROUPS)()
