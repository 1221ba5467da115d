"""Sees every commit of a consumer: a position moves only with the effects of what it passes (I7), and no message is passed over (I8)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from billing.events import InvoiceRefunded, InvoiceSettled
from kafka_shop.messaging.events import Event, Received
from kafka_shop.messaging.kafka import Record
from orders.events import OrderCancelled, OrderPlaced
from tests.simulation.broker import Place, Topic
from tests.simulation.findings import Broken
from tests.simulation.model import Shop

POSITIONS = "SELECT partition, position, topic_id FROM consumers_position WHERE consumer = %s"
LETTER = """
SELECT reason FROM consumers_deadletter
WHERE consumer = %s AND CASE WHEN %s <> '' THEN identity = %s ELSE partition = %s AND "offset" = %s END
"""
KILLED = "killed the process"


class Position(NamedTuple):
    offset: int
    log: str


class Slot(NamedTuple):
    """An offset of a partition, in whichever log: a consumer may read a new one before it knows."""

    topic: str
    partition: int
    offset: int


class Message(NamedTuple):
    """What was written: its number among all, the event's id, and whether it is a fact, poison or foreign."""

    number: int
    id: str
    kind: str


class Witness:
    """Knows every message that was ever written, and what each consumer has committed."""

    def __init__(self, observer: Any, shop: Shop) -> None:
        self._observer, self._shop = observer, shop
        self.book: dict[Place, Message] = {}
        self.poison: set[str] = set()  # ids of what no consumer can apply
        self.foreign: set[str] = set()  # ids of what no consumer knows
        self.dead: set[str] = set()  # facts that became dead letters because their processes were killed
        self.deliveries = 0
        self.kind = "fact"  # of the next message that is written
        self._slots: defaultdict[Slot, list[Message]] = defaultdict(list)
        self._passed: set[int] = set()
        self._heard: defaultdict[str, list[Received[Event]]] = defaultdict(list)  # by process, in its open transaction
        self._written = 0
        self._before: Mapping[int, Position] = {}

    def writes(self, topic: Topic, record: Record) -> None:
        id = next((value.decode() for name, value in record.headers if name == "ce_id" and value), "")
        message = Message(self._written, id, self.kind)
        self.book[topic.place(record)] = message
        self._slots[Slot(topic.name, record.partition, record.offset)].append(message)
        self.poison |= {id} if self.kind == "poison" else set()
        self.foreign |= {id} if self.kind == "foreign" else set()
        self._written, self.kind = self._written + 1, "fact"

    def hears(self, process: str, events: Sequence[Received[Event]]) -> None:
        self._heard[process] += events

    def forgets(self, process: str) -> None:
        self._heard.pop(process, None)

    def before(self, consumer: str) -> None:
        self._before = self.positions(consumer)

    def after(self, process: str, consumer: str, topic: str) -> str:
        """Compares what was moved with what was heard, and tells the model. Returns it in words, or "" when nothing moved."""
        moved = {
            Slot(topic, partition, offset)
            for partition, position in self.positions(consumer).items()
            for offset in range(self._before.get(partition, Position(0, "")).offset, position.offset)
        }
        heard = {Slot(topic, each.partition or 0, each.offset or 0): each.event for each in self._heard.pop(process, [])}
        if ahead := sorted(heard.keys() - moved):
            raise Broken("I7", f"{process} made the effects of {heard[ahead[0]].id} at {ahead[0]} and did not move its position")
        for slot in moved - heard.keys():
            self._excuse(slot, consumer)
        for slot, event in heard.items():
            self._note(slot, event)
        self.deliveries += len(heard)
        return f"applied {len(heard)} of {len(moved)} messages" if moved else ""

    def positions(self, consumer: str) -> Mapping[int, Position]:
        return {partition: Position(offset, log) for partition, offset, log in self._observer.execute(POSITIONS, [consumer])}

    def unread(self, topic: Topic) -> list[str]:
        """The messages of the log that is there now which nobody has applied, recognised or dead-lettered (I8).

        Where the end of a log was lost and written again, only the client could tell (KIP-320), and a person has republished all facts.
        """
        places = [topic.place(record) for record in topic.records() if (record.partition, record.offset) not in topic.cut]
        return [f"{self.book[place].id or 'poison'} at {place}" for place in places if self.book[place].number not in self._passed]

    def _excuse(self, slot: Slot, consumer: str) -> None:
        """A message may be passed over when it is foreign or a dead letter; a fact only when it killed its process again and again."""
        messages = self._slots[slot]
        excused = [each for each in messages if each.kind == "foreign" or (each.kind == "poison" and self._reason(each, slot, consumer))]
        if not excused:
            excused = [each for each in messages if self._reason(each, slot, consumer) == KILLED]
            self.dead |= {message.id for message in excused}
        if not excused:
            raise Broken("I8", f"{consumer} passed over {[message.id for message in messages]} at {slot}")
        self._passed |= {message.number for message in excused}

    def _reason(self, message: Message, slot: Slot, consumer: str) -> str:
        """That of its dead letter, or ""."""
        found = self._observer.execute(LETTER, [consumer, message.id, message.id, slot.partition, slot.offset]).fetchone()
        return str(found[0]) if found else ""

    def _note(self, slot: Slot, event: Event) -> None:
        """Of the messages of this slot, the one with the event's id was read."""
        read = [message for message in self._slots[slot] if message.id == event.id]
        if not any(message.kind == "fact" for message in read):
            raise Broken("contract", f"{event.id} at {slot} is no fact, and was applied")
        self._passed |= {message.number for message in read}
        self._tell(event)

    def _tell(self, event: Event) -> None:
        order = str(event.order_id)
        match event:
            case OrderPlaced():
                self._shop.billing_hears_placed(order)
            case OrderCancelled():
                self._shop.billing_hears_cancelled(order)
            case InvoiceSettled():
                self._shop.orders_hears_settled(order, event.outcome)
            case InvoiceRefunded():
                self._shop.orders_hears_refunded(order)
