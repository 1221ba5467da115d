"""An order was placed: billing charges it, or opens its invoice."""

from collections.abc import Sequence

from billing import rules, services
from kafka_shop.messaging.events import Event, Received
from orders.events import OrderPlaced


def handle(events: Sequence[Received[OrderPlaced]]) -> Sequence[Event]:
    """Returns the settled facts of these orders. Raises Conflict; ValueError for what is no money."""
    return services.charge_orders(orders=[_order(received) for received in events], now=events[0].at)


def _order(received: Received[OrderPlaced]) -> rules.Order:
    event = received.event
    amount, currency = rules.money(event.amount), rules.code(event.currency)
    return rules.Order(event.order_id, event.customer_id, amount, currency, received.partition, received.offset)
