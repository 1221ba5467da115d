"""Who orders in the scenarios, and how their orders' facts travel before and after the process that is stopped."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.urls import resolve
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

import billing.services
import orders.services
from kafka_shop.messaging.envelope import Unreadable, from_json, seal, to_json, to_kafka
from kafka_shop.messaging.events import Event
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.users.models import User
from tests.crash.world import logs

LONG_AGO = timedelta(hours=1)  # longer than the sweep waits
posted_to: set[str] = set()  # the routes, in this process
NAMES = ("alice", "bob", "carol", "dave", "erin")


class Customer(NamedTuple):
    """Somebody who is signed in."""

    id: UUID
    account: UUID | None
    token: str

    def order(self, quantity: int = 1, *, at: datetime | None = None) -> UUID:
        """Some tea, of which a piece costs 7.50."""
        items = [("TEA-001", quantity)]
        return UUID(str(orders.services.place_order(customer_id=self.id, items=items, now=at or timezone.now()).id))

    def cancel(self, order: UUID, *, at: datetime | None = None) -> None:
        orders.services.cancel_order(order_id=order, now=at or timezone.now())

    def post(self, path: str, expect: int, **body: object) -> None:
        post(path, body, expect, f"Bearer {self.token}", HTTP_IDEMPOTENCY_KEY="the-same-each-time")


def customer(name: str, money: str = "") -> Customer:
    """A customer whose id is the same in every run; without money they have no account."""
    user = User.objects.create_user(name, id=UUID(int=NAMES.index(name) + 1))
    _, token = AuthToken.objects.create(user=user)
    account = billing.services.open_account(customer_id=user.id, currency=settings.CURRENCY, now=timezone.now()) if money else None
    if account:
        billing.services.deposit(account_id=account.id, amount=Decimal(money), now=timezone.now())
    return Customer(user.id, account.id if account else None, token)


def post(path: str, body: Any, expect: int, authorization: str = "", content_type: str = "application/json", **headers: str) -> None:
    """A POST request to the shop's own web."""
    sender: dict[str, Any] = {"HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": authorization, **headers}
    answer = APIClient().post(f"/api/v1/{path}", encoded(body), content_type=content_type, **sender)
    assert answer.status_code == expect, answer.content
    posted_to.add(resolve(f"/api/v1/{path}").view_name)


def encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


def taken(topic: str) -> list[bytes]:
    """The facts that wait for a topic, as they are stored; they do not wait any more."""
    rows = OutboxRow.objects.filter(destination=topic).order_by("number")
    facts = [bytes(event) for event in rows.values_list("event", flat=True)]
    rows.delete()
    return facts


def written(fact: Event) -> bytes:
    """A fact as an outbox stores it."""
    return to_json(seal(fact))


def into_log(topic: str, facts: Iterable[bytes]) -> None:
    """Publishes facts, as they are stored, without the relay; what is no fact lies in the log as it is."""
    for fact in facts:
        try:
            envelope = from_json(fact)
        except Unreadable:
            logs().append(settings.TOPICS[topic], "nobody", [], fact)
        else:
            logs().append(settings.TOPICS[topic], envelope.partitionkey, *to_kafka(envelope))
