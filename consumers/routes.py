"""THE MAP: which consumer reads which topic, and which handler takes which event.

A new consumer is a row here; a new event of a consumer is a line in its row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import billing.services
import orders.services
from billing.events import InvoiceRefunded, InvoiceSettled
from billing.handlers import order_cancelled, order_placed
from kafka_shop.messaging.events import Event, Handler
from notify.handlers import order_settled
from orders.events import OrderCancelled, OrderPlaced, OrderSettled
from orders.handlers import invoice_refunded, invoice_settled


@dataclass(frozen=True)
class Route:
    """What one consumer reads and who applies it. The consumer's name is its service's."""

    group: str
    topic: str  # the logical name
    handlers: Mapping[type[Event], Handler]


ROUTES: dict[str, Route] = {
    "billing": Route("shop.billing", "order-topic", {OrderPlaced: order_placed.handle, OrderCancelled: order_cancelled.handle}),
    "orders": Route("shop.orders", "billing-topic", {InvoiceSettled: invoice_settled.handle, InvoiceRefunded: invoice_refunded.handle}),
    "notify": Route("shop.notify", "notify-topic", {OrderSettled: order_settled.handle}),
}

# What a service's relay asks now and then: publish again what still waits for its answer.
SWEEPS: dict[str, Callable[..., int]] = {"orders": orders.services.republish_pending}

# Puts a service's stored facts since a time back in the outbox, a step a call: (since, cursor, limit, now) -> next cursor, None at the end.
REPUBLISH: dict[str, Callable[..., list[Any] | None]] = {"orders": orders.services.republish, "billing": billing.services.republish}

# Which service a destination's facts come from, and which consumers read them.
PUBLISHERS = {"order-topic": "orders", "billing-topic": "billing", "notify-topic": "orders"}
READERS = {topic: [name for name, route in ROUTES.items() if route.topic == topic] for topic in PUBLISHERS}
