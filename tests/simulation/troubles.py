"""What goes wrong on the way of a message and between turns: groups, logs, outages and messages that nobody can apply."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from billing.events import InvoiceSettled
from kafka_shop.messaging.envelope import seal, to_kafka
from kafka_shop.messaging.events import Event
from kafka_shop.messaging.kafka import Outgoing, Refusal
from orders.events import OrderPlaced
from tests.simulation.broker import Member, Topic
from tests.simulation.clock import START
from tests.simulation.faults import IN_BETWEEN
from tests.simulation.processes import Consumer, Process

if TYPE_CHECKING:
    from tests.simulation.world import World

TIMED_OUT = Refusal("timed out", False)
FATES: dict[str, tuple[int, Refusal | bool]] = {
    "message refused": (0, TIMED_OUT),
    "message written, not acknowledged": (1, False),
    "message without an answer": (0, False),
    "message written twice": (2, True),
}
MOST_PARTITIONS = 4
SWEPT = ("order-topic", "billing-topic")  # what is lost of these is asked for again by the sweep


class Troubles:
    """Brings them about, as the faults' dice say."""

    def __init__(self, world: World) -> None:
        self._world, self._random, self._strikes = world, world.random, world.faults.strikes
        self._late: list[tuple[float, Topic, Outgoing]] = []
        self._robbed: set[str] = set()  # orders that one message was lost of
        self.killers: set[str] = set()
        self.logs_cut = False  # a person must have facts published again
        self._poisons = 0

    # on the way to the broker
    def sending(self, topic: Topic, message: Outgoing) -> tuple[int, Refusal | bool]:
        """How often a message is written, and the answer."""
        for kind, fate in FATES.items():
            if self._strikes(kind):
                return fate
        if self._strikes("message written late"):
            self._late.append((self._world.clock.monotonic() + 30 * self._random.random(), topic, message))
            return 0, False
        order = message_order(message)
        if self._may_be_lost(topic, order, message) and self._strikes("message lost"):
            self._robbed.add(order)
            return 0, True
        return 1, True

    def deliver_late(self, everything: bool = False) -> None:
        now = self._world.clock.monotonic()
        due = [each for each in self._late if everything or each[0] <= now]
        self._late = [each for each in self._late if each not in due]
        for _, topic, message in due:
            topic.write(message.key, message.headers, message.value)

    def _may_be_lost(self, topic: Topic, order: str, message: Outgoing) -> bool:
        """One message of an order, at most, and one that the sweep asks for again, so that no person is needed."""
        known = self._world.shop.orders.get(order)
        if topic.name not in SWEPT or order in self._robbed or known is None:
            return False
        cancels = ("ce_type", b"shop.order.cancelled.v1") in message.headers
        return not cancels or (known.invoice != "" and not self._world.shop.on_request)

    # between turns
    def come(self) -> None:
        self.deliver_late()
        for kind in IN_BETWEEN:
            if self._strikes(kind):
                self._world.say(f"FAULT {kind}")
                getattr(self, "_" + kind.replace(" ", "_"))()

    def _topic(self) -> Topic:
        return self._random.choice(list(self._world.cluster.topics.values()))

    def _member(self) -> Member | None:
        return self._random.choice([member for topic in self._world.cluster.topics.values() for member in topic.group] or [None])

    def _process_killed_between_turns(self) -> None:
        process = self._random.choice(self._world.processes)
        process.session.end_transaction()
        process.die()

    def _process_restarted(self) -> None:
        process: Process = self._random.choice(self._world.processes)
        if isinstance(process, Consumer):
            self._world.takes_turn(process, process.stop)

    def _zombie(self) -> None:
        """Its session is over, and it goes on as if it were not."""
        if member := self._member():
            member.polls_in_vain = self._random.randint(1, 6)
            member.topic.expel(member)

    def _rebalance(self) -> None:
        self._topic().share_out()

    def _partition_added(self) -> None:
        topic = self._topic()
        if len(topic.logs) < MOST_PARTITIONS:
            topic.add_partition()

    def _log_made_anew(self) -> None:
        self._topic().make_anew()

    def _end_of_a_log_lost(self) -> None:
        topic = self._topic()
        topic.cut_end(self._random.choice(list(topic.logs)), self._random.randint(1, 4))
        self.logs_cut = True

    def _beginning_of_a_log_deleted(self) -> None:
        topic = self._topic()
        partition = self._random.choice(list(topic.logs))
        low, high = topic.marks(partition)
        topic.drop_until(partition, self._random.randint(low, high))
        self.logs_cut = True

    def _client_gone_deaf(self) -> None:
        if member := self._member():
            member.deaf = True

    def _broker_away(self) -> None:
        self._world.cluster.away_until = self._world.clock.monotonic() + self._random.uniform(1, 8)

    def _database_away(self) -> None:
        self._world.database_away_until = self._world.clock.monotonic() + self._random.uniform(1, 5)

    # messages
    def _foreign_message(self) -> None:
        self._write(self._topic(), self._fact(), "foreign", {"ce_type": b"shop.weather.changed.v1"})

    def _poison(self) -> None:
        """What cannot be read, what is no money, what contradicts what is known."""
        topic = self._topic()
        {"order-topic": self._poison_for_billing, "billing-topic": self._poison_for_orders}.get(topic.name, self._unreadable)(topic)

    def _poison_for_billing(self, topic: Topic) -> None:
        self._random.choice((self._unreadable, self._newer, self._worthless, self._tampered))(topic)

    def _poison_for_orders(self, topic: Topic) -> None:
        self._random.choice((self._unreadable, self._stranger))(topic)

    def _unreadable(self, topic: Topic) -> None:
        self._world.witness.kind = "poison"
        topic.write(str(self._random.random()), [], b"?")

    def _newer(self, topic: Topic) -> None:
        self._write(topic, self._fact(), "poison", {"ce_type": b"shop.order.placed.v2"})

    def _worthless(self, topic: Topic) -> None:
        self._write(topic, self._fact(), "poison", {})

    def _message_that_kills(self) -> None:
        if not self.killers:
            fact = self._fact(Decimal("1.00"))
            self.killers.add(fact.id)
            self._write(self._world.cluster.topics["order-topic"], fact, "poison", {})

    def _write(self, topic: Topic, fact: Event, kind: str, changes: dict[str, bytes]) -> None:
        headers, value = to_kafka(seal(fact))
        self._world.witness.kind = kind
        topic.write(str(fact.customer_id), [(name, changes.get(name, content)) for name, content in headers], value)

    def _fact(self, amount: Decimal = Decimal("0.00")) -> OrderPlaced:
        order, customer = self._nobody(), self._nobody()
        return OrderPlaced(order_id=order, customer_id=customer, amount=amount, currency="EUR", items=(), placed_at=START)

    def _stranger(self, topic: Topic) -> None:
        """The payment of an order that there is not."""
        fact = InvoiceSettled(
            order_id=self._nobody(),
            customer_id=self._nobody(),
            invoice_id=self._nobody(),
            amount=Decimal("7.50"),
            currency="EUR",
            outcome="paid",
            settled_at=START,
        )
        self._write(topic, fact, "poison", {})

    def _tampered(self, topic: Topic) -> None:
        """An order that billing knows, with another amount."""
        known = [(id, order) for id, order in self._world.shop.orders.items() if order.told or order.invoice == "open"]
        for id, order in self._random.sample(known, min(1, len(known))):
            ids = {"order_id": UUID(id), "customer_id": UUID(order.customer)}
            amount = Decimal(order.cents + 1) / 100
            self._write(topic, OrderPlaced(**ids, amount=amount, currency="EUR", items=(), placed_at=START), "poison", {})

    def _nobody(self) -> UUID:
        self._poisons += 1
        return UUID(int=self._poisons + (7 << 76) + (3 << 62))


def message_order(message: Outgoing) -> str:
    return dict(message.headers)["ce_subject"].decode()
