"""Every event type of the shop, and how to make any event of it."""

from datetime import UTC, datetime

from hypothesis import strategies as st

import billing.events
import notify.events
import orders.events
from billing.events import InvoiceRefunded, InvoiceSettled
from kafka_shop.messaging.events import Event
from orders.events import Item, OrderCancelled, OrderPlaced, OrderSettled

TYPES: list[type[Event]] = [
    kind
    for module in (orders.events, billing.events, notify.events)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind.__module__ == module.__name__
]

ids = st.uuids(version=4)
money = st.decimals(0, 999_999_999, places=2)
currencies = st.sampled_from(["EUR", "USD"])
times = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 31), timezones=st.just(UTC))
orders_and_customers = {"order_id": ids, "customer_id": ids}
items = st.lists(st.builds(Item, product=st.text(), quantity=st.integers(1, 10_000), price=money), max_size=5).map(tuple)
prices = {"amount": money, "currency": currencies}

BY_TYPE: dict[type[Event], st.SearchStrategy[Event]] = {
    OrderPlaced: st.builds(OrderPlaced, **orders_and_customers, **prices, items=items, placed_at=times),
    OrderCancelled: st.builds(OrderCancelled, **orders_and_customers, cancelled_at=times),
    OrderSettled: st.builds(
        OrderSettled,
        **orders_and_customers,
        **prices,
        outcome=st.sampled_from(["paid", "rejected", "cancelled", "refunded"]),
        reason=st.text(),
        settled_at=times,
    ),
    InvoiceSettled: st.builds(
        InvoiceSettled,
        **orders_and_customers,
        **prices,
        invoice_id=ids,
        outcome=st.sampled_from(["paid", "declined"]),
        reason=st.text(),
        settled_at=times,
    ),
    InvoiceRefunded: st.builds(InvoiceRefunded, **orders_and_customers, **prices, invoice_id=ids, refunded_at=times),
}
events: st.SearchStrategy[Event] = st.one_of(*BY_TYPE.values())
