"""For one order, any order and any number of deliveries ends in the same state."""

from collections.abc import Iterator, Sequence
from itertools import groupby, permutations

import pytest

from kafka_shop.messaging.events import Event
from orders import services
from orders.errors import NotCancellable
from orders.events import OrderSettled
from orders.handlers import invoice_refunded, invoice_settled
from orders.models import Order
from orders.tests.helpers import MINUTE, NOW, empty_outbox, outbox, place, refunded, settled

pytestmark = pytest.mark.usefixtures("catalogue")

PAID = ["paid", "paid", "refunded", "refunded"]
DECLINED = ["declined", "declined"]
CANCEL = "cancel"
State = tuple[str, bool, bool, bool]


def deliver(order: Order, history: Sequence[str], *, in_batches: bool) -> tuple[list[Event], bool]:
    """Delivers events one by one, or neighbours of a type as one batch; returns all facts that came of it, and whether it was cancelled."""
    facts: list[Event] = []
    cancelled = False
    for minutes, (kind, size) in enumerate(runs(history, in_batches=in_batches)):
        at = NOW + minutes * MINUTE
        if kind == CANCEL:
            cancelled = cancel(order) or cancelled
        elif kind == "refunded":
            facts += invoice_refunded.handle([refunded(order, at=at)] * size)
        else:
            facts += invoice_settled.handle([settled(order, "paid" if kind == "paid" else "declined", at=at)] * size)
    return [*facts, *outbox()], cancelled


def runs(history: Sequence[str], *, in_batches: bool) -> Iterator[tuple[str, int]]:
    for kind, members in groupby(history):
        size = len(list(members))
        yield from [(kind, size)] if in_batches else [(kind, 1)] * size


def cancel(order: Order) -> bool:
    try:
        services.cancel_order(order_id=order.id, now=NOW + 59 * MINUTE)
    except NotCancellable:
        return False
    return True


def state(order: Order) -> State:
    """What must not depend on the way: status, whether money came, whether it went back, whether billing's answer is awaited."""
    stored = Order.objects.get(id=order.id)
    came = stored.paid_at is not None or stored.late_paid_at is not None
    return stored.status, came, stored.refunded_at is not None, stored.sweep_from is not None


def stored_ends(order: Order) -> set[tuple[str, str]]:
    stored = Order.objects.get(id=order.id)
    times = {outcome: getattr(stored, f"{outcome}_at") for outcome in ("paid", "rejected", "cancelled", "refunded")}
    return {(outcome, str(at)) for outcome, at in times.items() if at}


@pytest.mark.parametrize("in_batches", [False, True])
@pytest.mark.parametrize(
    ("events", "end"),
    [
        (PAID, ("cancelled", True, True, False)),
        ([*PAID, CANCEL], ("cancelled", True, True, False)),
        (["paid", "paid"], ("paid", True, False, False)),
        (["paid", "paid", CANCEL], ("cancelled", True, False, True)),
        (["refunded", "refunded", CANCEL], ("cancelled", False, True, False)),
        (DECLINED, ("rejected", False, False, False)),
    ],
)
def test_all_permutations_end_alike_and_tell_each_stored_end(events: list[str], end: State, in_batches: bool) -> None:
    for history in sorted(set(permutations(events))):
        order = place()
        empty_outbox()
        facts, _ = deliver(order, history, in_batches=in_batches)
        assert state(order) == end, history
        told = {(fact.outcome, str(fact.settled_at)) for fact in facts if isinstance(fact, OrderSettled)}
        assert told == stored_ends(order), history


@pytest.mark.parametrize("in_batches", [False, True])
def test_a_refused_order_is_cancelled_only_by_a_customer_who_comes_first(in_batches: bool) -> None:
    for history in sorted(set(permutations([*DECLINED, CANCEL]))):
        order = place()
        empty_outbox()
        facts, cancelled = deliver(order, history, in_batches=in_batches)
        assert cancelled == (history[0] == CANCEL)
        assert state(order) == ("cancelled" if cancelled else "rejected", False, False, False)
        assert {fact.outcome for fact in facts if isinstance(fact, OrderSettled)} == {"cancelled" if cancelled else "rejected"}
