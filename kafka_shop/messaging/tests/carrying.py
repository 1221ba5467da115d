"""Couriers, carriers and rows for the tests of the relay."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from kafka_shop.databases import limited_transaction
from kafka_shop.messaging import outbox
from kafka_shop.messaging.kafka import Refusal
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.messaging.relay import Courier, Outcome, Row
from kafka_shop.messaging.tests.stubs import NOON, Said

BUSY = Refusal("leader not available", for_good=False)
TOO_LARGE = Refusal("message too large", for_good=True)


@dataclass
class Carrier:
    """Acknowledges everything but the refused and the silent, and remembers what it was given."""

    refused: dict[int, Refusal] = field(default_factory=dict)
    silent: set[int] = field(default_factory=set)
    during: Callable[[], object] = lambda: None
    windows: list[list[int]] = field(default_factory=list)

    def __call__(self, pending: Sequence[Row]) -> Outcome:
        numbers = [number for number, _, _ in pending]
        self.windows.append(numbers)
        self.during()
        refused = {number: refusal for number, refusal in self.refused.items() if number in numbers}
        return [number for number in numbers if number not in refused.keys() | self.silent], refused


def publish(*facts: Said, resent: bool = False) -> list[int]:
    """Publishes facts and gives their numbers."""
    with limited_transaction("default"):
        outbox.publish(facts, alias="default", now=NOON, resent=resent)
    known = dict(OutboxRow.objects.values_list("event_id", "number"))
    return [known[fact.id] for fact in facts]


def waiting() -> list[int]:
    return list(OutboxRow.objects.order_by("number").values_list("number", flat=True))


def turn(courier: Courier, later: timedelta = timedelta()) -> int:
    return courier.turn(timezone.now() + later)
