"""Parts for the engine's tests: small events, the records that carry them, and handlers that leave a trace in the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from consumers.positions import Claim, Positions
from consumers.reading import Item, Reader
from kafka_shop.databases import columns, rows, run
from kafka_shop.messaging.envelope import Headers, seal, to_kafka
from kafka_shop.messaging.events import Event, Handler, Received
from kafka_shop.messaging.kafka import Record

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
TOPIC = "order-topic"
CONSUMER = "billing"

EFFECT = "INSERT INTO effects SELECT * FROM unnest(%s::text[], %s::text[])"


def uuid(number: int) -> UUID:
    return UUID(int=number + (7 << 76) + (2 << 62))


class Opened(Event, frozen=True, kw_only=True):
    """A stub event: a customer opened a door."""

    type: ClassVar[str] = "shop.door.opened.v1"
    source: ClassVar[str] = "/doors"
    destination: ClassVar[str] = "order-topic"
    word: ClassVar[str] = "opened"

    @property
    def id(self) -> str:
        return f"door.{self.word}:{self.order_id}"

    @property
    def time(self) -> datetime:
        return NOW


class Closed(Opened, frozen=True, kw_only=True):
    type: ClassVar[str] = "shop.door.closed.v1"
    word: ClassVar[str] = "closed"


class Heard(Opened, frozen=True, kw_only=True):
    """The fact that follows from both."""

    type: ClassVar[str] = "shop.door.heard.v1"
    destination: ClassVar[str] = "billing-topic"
    word: ClassVar[str] = "heard"


def opened(number: int, customer: int | None = None) -> Opened:
    return Opened(order_id=uuid(number), customer_id=uuid(1_000_000 + (number if customer is None else customer)))


def closed(number: int, customer: int | None = None) -> Closed:
    return Closed(order_id=uuid(number), customer_id=uuid(1_000_000 + (number if customer is None else customer)))


def record(event: Event, offset: int, partition: int = 0, traceparent: str = "") -> Record:
    headers, value = to_kafka(seal(event, traceparent))
    return raw(offset, headers, value, partition, str(event.customer_id).encode())


def raw(offset: int, headers: Headers, value: bytes | None, partition: int = 0, key: bytes | None = b"key") -> Record:
    return Record(TOPIC, partition, offset, 1_000 + offset, key, [*headers], value)


def log_of(events: Iterable[Event], partition: int = 0, start: int = 0) -> list[Record]:
    return [record(event, offset, partition) for offset, event in enumerate(events, start)]


READER = Reader({kind.type: kind for kind in (Opened, Closed)})


def items_of(records: Iterable[Record]) -> list[Item]:
    return [READER.read(each) for each in records]


@dataclass
class Doors:
    """Handlers of both events. Each effect is a row of the table `effects`, each event is followed by the fact Heard."""

    calls: list[list[str]] = field(default_factory=list)  # the event ids of each call
    fails: Any = None  # called with the event ids of a call before it has an effect; raises to fail it
    silent: bool = False  # publishes nothing

    def handle(self, events: Sequence[Received[Opened]]) -> Sequence[Event]:
        ids = [received.event.id for received in events]
        self.calls.append(ids)
        run("default", EFFECT, *columns([(id, str(received.offset)) for id, received in zip(ids, events, strict=True)], 2))
        if self.fails:
            self.fails(ids)
        facts = [Heard(order_id=received.event.order_id, customer_id=received.event.customer_id) for received in events]
        return [] if self.silent else facts

    @property
    def handlers(self) -> dict[type[Event], Handler]:
        return {Opened: self.handle, Closed: self.handle}


def effects() -> list[str]:
    """The event ids that had an effect, in order."""
    return [id for (id,) in rows("default", "SELECT event_id FROM effects ORDER BY place")]


def outbox() -> list[str]:
    """The event ids that wait in the outbox, in order."""
    return [id for (id,) in rows("default", "SELECT event_id FROM messaging_outboxrow ORDER BY number")]


def positions() -> Positions:
    return Positions("default", CONSUMER, TOPIC)


def claimed(*partitions: int) -> dict[int, Claim]:
    return {claim.partition: claim for claim in positions().claim(partitions or [0])}
