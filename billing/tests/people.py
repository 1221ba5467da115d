"""The people and orders of billing's tests: Alice has 100.00, she places an order of 30.00, she cancels it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from billing import services
from billing.handlers import order_cancelled, order_placed
from billing.models import Account, Invoice
from kafka_shop.databases import alias_of
from kafka_shop.ids import uuid7
from kafka_shop.messaging.events import Event, Received
from orders.events import OrderCancelled, OrderPlaced

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)
LATER = NOW + timedelta(minutes=5)


def account(balance: str = "100.00", *, currency: str = "EUR", customer: UUID | None = None) -> Account:
    """The account of a customer, a new one unless named, with money in it."""
    opened = services.open_account(customer_id=customer or uuid7(), currency=currency, now=NOW)
    if Decimal(balance):
        services.deposit(account_id=opened.id, amount=Decimal(balance), now=NOW)
    return opened


def balance(account: Account) -> str:
    return str(Account.objects.get(id=account.id).balance)


def invoice(event: OrderPlaced | OrderCancelled) -> Invoice:
    """The invoice of the order that an event is about."""
    return Invoice.objects.get(order_id=event.order_id)


def placed(customer: UUID | None, amount: str = "30.00", *, currency: str = "EUR", order: UUID | None = None) -> OrderPlaced:
    """An order, a new one unless named."""
    return OrderPlaced(
        order_id=order or uuid7(), customer_id=customer or uuid7(), amount=Decimal(amount), currency=currency, items=(), placed_at=NOW
    )


def cancelled(order: OrderPlaced) -> OrderCancelled:
    """The cancellation of an order."""
    return OrderCancelled(order_id=order.order_id, customer_id=order.customer_id, cancelled_at=NOW)


def place(*events: OrderPlaced, at: datetime = NOW) -> Sequence[Event]:
    """Hands placed orders to billing as one batch, as the engine does, and returns the facts that follow."""
    with transaction.atomic(using=alias_of("billing")):
        return order_placed.handle([Received(event, at, 1, offset) for offset, event in enumerate(events, 10)])


def cancel(*events: OrderCancelled, at: datetime = NOW) -> Sequence[Event]:
    """Hands cancelled orders to billing as one batch, as the engine does, and returns the facts that follow."""
    with transaction.atomic(using=alias_of("billing")):
        return order_cancelled.handle([Received(event, at, 2, offset) for offset, event in enumerate(events, 20)])
