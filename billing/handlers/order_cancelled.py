"""An order was cancelled: billing voids its invoice, or gives the money back."""

from collections.abc import Sequence

from billing import rules, services
from kafka_shop.messaging.events import Event, Received
from orders.events import OrderCancelled


def handle(events: Sequence[Received[OrderCancelled]]) -> Sequence[Event]:
    """Returns the refunded facts of these orders. Raises Conflict."""
    return services.cancel_orders(cancellations=[_cancellation(received) for received in events], now=events[0].at)


def _cancellation(received: Received[OrderCancelled]) -> rules.Cancellation:
    return rules.Cancellation(received.event.order_id, received.event.customer_id, received.partition, received.offset)
