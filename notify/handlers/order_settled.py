"""An order came to an end: its customer gets a letter of joy or of grief, one for each end."""

from collections.abc import Sequence

from kafka_shop.messaging.events import Event, Received
from notify import services
from notify.rules import Notice
from orders.events import OrderSettled


def handle(events: Sequence[Received[OrderSettled]]) -> Sequence[Event]:
    services.write_letters(
        [
            Notice(
                order_id=received.event.order_id,
                customer_id=received.event.customer_id,
                outcome=received.event.outcome,
                amount=received.event.amount,
                currency=received.event.currency,
                reason=received.event.reason,
                settled_at=received.event.settled_at,
                at=received.at,
                partition=received.partition,
                offset=received.offset,
            )
            for received in events
        ]
    )
    return []
