"""A small event for the tests of the event floor."""

from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from kafka_shop.messaging.events import Event

ORDER, CUSTOMER = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Said(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "shop.word.said.v1"
    source: ClassVar[str] = "/words"
    destination: ClassVar[str] = "order-topic"

    word: str
    said_at: datetime = NOON

    @property
    def id(self) -> str:
        return f"word.said:{self.order_id}"

    @property
    def time(self) -> datetime:
        return self.said_at


def said(word: str = "hello", said_at: datetime = NOON, order: UUID = ORDER) -> Said:
    return Said(order_id=order, customer_id=CUSTOMER, word=word, said_at=said_at)


def several(count: int, word: str = "hello") -> list[Said]:
    """Facts about different orders."""
    return [said(word, order=UUID(int=100 + number)) for number in range(count)]
