"""Orders' only transactions, and what its handlers do inside the engine's: load, ask the rules, save, say what follows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from kafka_shop.api import authentication
from kafka_shop.api.authentication import Sender
from kafka_shop.api.idempotency import Answer
from kafka_shop.databases import alias_of, limited_transaction
from kafka_shop.ids import uuid7
from kafka_shop.messaging import outbox
from kafka_shop.messaging.events import Conflict, Event
from orders import facts, remembered, rules, selectors, store
from orders.catalogue import PRODUCTS
from orders.errors import Unplaceable
from orders.events import Item
from orders.models import Order, Product, Status
from orders.store import Placement

Priced = tuple[list[Item], Decimal, str]  # the lines, their total and its currency

MOST_FACTS = 5  # of one order: placed, paid, cancelled (to billing and to the customer), refunded


def seed_catalogue() -> None:
    """Puts the sample products in the catalogue, priced in the shop's currency; those that are there stay as they are."""
    products = [Product(sku=sku, name=name, price=price, currency=settings.CURRENCY) for sku, name, price in PRODUCTS]
    Product.objects.bulk_create(products, ignore_conflicts=True)


def place_order(*, customer_id: UUID, items: Sequence[tuple[str, int]], now: datetime) -> Order:
    """Places an order of (SKU, quantity) at the catalogue's prices, and asks billing for the money. Raises Unplaceable."""
    [placed] = place_orders(customer_id=customer_id, baskets=[items], now=now)
    if isinstance(placed, Unplaceable):
        raise placed
    return placed


def place_orders(*, customer_id: UUID, baskets: Sequence[Sequence[tuple[str, int]]], now: datetime) -> list[Order | Unplaceable]:
    """Places a customer's orders in two statements; in the place of each that cannot be placed, why not."""
    catalogue = selectors.prices({sku for items in baskets for sku, _ in items})
    priced = [_priced(items, catalogue) for items in baskets]
    placed = iter(place_priced([(customer_id, each) for each in priced if not isinstance(each, Unplaceable)], now=now))
    return [each if isinstance(each, Unplaceable) else next(placed) for each in priced]


def _priced(items: Sequence[tuple[str, int]], catalogue: Mapping[str, tuple[Decimal, str]]) -> Priced | Unplaceable:
    try:
        return rules.price(items, catalogue)
    except Unplaceable as error:
        return error


def place_priced(baskets: Sequence[tuple[UUID, Priced]], *, now: datetime) -> list[Order]:
    """Places orders of (customer, what `rules.price` found). Without limits: it locks nothing that others wait for."""
    placements = [_placement(customer, priced, now) for customer, priced in baskets]
    alias = alias_of("orders")
    store.place(alias, placements)
    return [_placed(alias, placement) for placement in placements]


def guess_order(*, customer_id: UUID, items: Sequence[tuple[str, int]], now: datetime) -> Placement:
    """What an order of (SKU, quantity) is at the prices that are remembered. Raises Unplaceable."""
    return _placement(customer_id, rules.price(items, remembered.prices([sku for sku, _ in items])), now)


def place_guessed(order: Placement, sender: Sender, answer: Answer | None) -> bool:
    """Places an order if its sender may and the catalogue still has its prices, and stores the answer with its key, in one statement.

    False: one of these is not so, or the key is known, and nothing was placed. Raises OperationalError when a twin is in flight.
    """
    if store.place_guessed(alias_of("orders"), order, token=sender.digest, answer=answer):
        return True
    remembered.forget(item.product for item in order.items)
    authentication.forget(sender)
    return False


def _placement(customer_id: UUID, priced: Priced, now: datetime) -> Placement:
    lines, total, currency = priced
    order = rules.Order(id=uuid7(), customer_id=customer_id, total=total, currency=currency)
    destination, event_id, key, event = outbox.record(facts.placement(order, now, lines), outbox.traceparent.get())
    return Placement(
        id=order.id,
        customer_id=customer_id,
        total=total,
        currency=currency,
        placed_at=now,
        items=lines,
        destination=destination,
        event_id=event_id,
        key=key,
        event=event.decode(),
    )


def _placed(alias: str, new: Placement) -> Order:
    """An order as it is read after it was placed."""
    known = {
        "placed_at": new.placed_at,
        "sweep_from": new.placed_at,
        "status": Status.PENDING,
        "total": new.total,
        "currency": new.currency,
    }
    order = Order(id=new.id, customer_id=new.customer_id, **known)
    order._state.adding, order._state.db = False, alias
    order.items = new.items
    return order


def cancel_order(*, order_id: UUID, now: datetime) -> Order:
    """Cancels a pending or a paid order at once, and asks billing for the money back. Raises NotCancellable, Order.DoesNotExist."""
    alias = alias_of("orders")
    with limited_transaction(alias):
        known = store.lock(alias, [order_id]).get(order_id)
        if known is None:
            raise Order.DoesNotExist(f"there is no order {order_id}")
        order = rules.cancel(known, at=now)
        store.save(alias, [order])
        outbox.publish([*facts.cancellation(order), *facts.ends(order, {"cancelled"})], alias=alias, now=now)
        return selectors.order(order_id)


def apply_results(results: Sequence[rules.Result]) -> list[Event]:
    """Moves orders by what billing says of them, and returns what follows. Inside an open transaction.

    Raises Conflict for an unknown order, and for a result that contradicts what is known of its order.
    """
    alias = alias_of("orders")
    known = store.lock(alias, {result.order_id for result in results})
    orders = dict(known)
    for result in results:
        order = orders.get(result.order_id)
        if order is None:
            raise Conflict(f"order {result.order_id} is not known, and its invoice is {result.outcome}")
        orders[result.order_id] = rules.apply(order, result)
    store.save(alias, [order for id, order in orders.items() if order is not known[id]])
    told = dict.fromkeys((result.order_id, result.outcome) for result in results)
    return [fact for id, outcome in told for fact in facts.following(orders[id], outcome)]


def republish_pending(*, now: datetime, after_seconds: int, limit: int) -> int:
    """The sweep: asks billing again for answers that are overdue, of at most `limit` orders, and returns of how many.

    An order is overdue `after_seconds` after it was placed, or after its cancellation when its money is awaited back, and then at
    doubling intervals up to a day. What is not locked by somebody else is taken.
    """
    alias = alias_of("orders")
    with limited_transaction(alias):
        due = store.lock_due(alias, before=now - timedelta(seconds=after_seconds), limit=limit)
        if not due:
            return 0
        items = store.items(alias, [order.id for _, _, order in due if order.pending])
        asked = [_question(order, placed_at, items) for _, placed_at, order in due]
        outbox.publish(asked, alias=alias, now=now, resent=True)
        swept = [(order.id, sweeps + 1, rules.sweep_from(sweeps + 1, after_seconds, now)) for sweeps, _, order in due]
        store.save_sweeps(alias, swept)
    return len(due)


def republish(*, since: datetime, cursor: list[Any] | None, limit: int, now: datetime) -> list[Any] | None:
    """Puts at most `limit` stored facts since a time back in the outbox, by the time of their order's last fact.

    Returns the next cursor, None at the end.
    """
    alias = alias_of("orders")
    after = (datetime.fromisoformat(cursor[0]), UUID(cursor[1])) if cursor else (since, UUID(int=0))
    step = max(1, limit // MOST_FACTS)
    with limited_transaction(alias):
        page = store.changed(alias, after=after, limit=step)
        items = store.items(alias, [order.id for _, placed_at, order in page if placed_at >= since])
        told = [fact for _, placed_at, order in page for fact in _stored(order, placed_at, items) if fact.time >= since]
        outbox.publish(told, alias=alias, now=now, resent=True)
    return [page[-1].last_fact_at.isoformat(), str(page[-1].order.id)] if len(page) == step else None


def _question(order: rules.Order, placed_at: datetime, items: Mapping[UUID, Sequence[Item]]) -> Event:
    """What an order asks billing while it waits: for the money, or for the money back."""
    return facts.placement(order, placed_at, items[order.id]) if order.pending else facts.cancellation(order)[0]


def _stored(order: rules.Order, placed_at: datetime, items: Mapping[UUID, Sequence[Item]]) -> list[Event]:
    """All facts of an order, its placement when its lines are given."""
    placed = [facts.placement(order, placed_at, items[order.id])] if order.id in items else []
    return [*placed, *facts.cancellation(order), *facts.ends(order)]
