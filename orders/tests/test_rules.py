"""The rules alone: no database, no clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_shop.ids import uuid7
from kafka_shop.messaging.events import Conflict
from orders import facts, rules
from orders.errors import NotCancellable, UnknownProducts, Unplaceable
from orders.events import OrderSettled
from orders.rules import Order, Result

START = datetime(2026, 1, 31, tzinfo=UTC)
ORDER = Order(id=uuid7(), customer_id=uuid7(), total=Decimal("12.50"), currency="EUR")
FACTS = ("paid_at", "rejected_at", "cancelled_at", "refunded_at", "late_paid_at")

prices = st.decimals(min_value="0.01", max_value="999.99", places=2)
catalogues = st.dictionaries(st.text(min_size=1, max_size=8), prices, min_size=1, max_size=10)
# what can come of one order: billing pays or declines it, never both; only a paid one is refunded
paid_histories = st.lists(st.sampled_from(["paid", "refunded", "cancel"]), max_size=8)
declined_histories = st.lists(st.sampled_from(["declined", "cancel"]), max_size=6)
histories = paid_histories | declined_histories


def result(outcome: str, at: datetime = START, order: Order = ORDER) -> Result:
    known = {"order_id": order.id, "customer_id": order.customer_id, "amount": order.total, "currency": order.currency}
    return msgspec.convert(known | {"outcome": outcome, "at": at}, type=Result)


def following(order: Order, event: str) -> list[OrderSettled]:
    """The facts that follow from an event; none from a refused cancellation, and an accepted one tells its own."""
    return [] if event == "cancel" else facts.following(order, result(event).outcome)


def live(history: list[str], order: Order = ORDER) -> tuple[list[Order], bool]:
    """The states that an order goes through, one event a second, and whether its customer could cancel it."""
    states, cancelled = [order], False
    for seconds, event in enumerate(history):
        at = START + timedelta(seconds=seconds)
        if event != "cancel":
            states.append(rules.apply(states[-1], result(event, at)))
            continue
        try:
            states.append(rules.cancel(states[-1], at=at))
            cancelled = True
        except NotCancellable:
            states.append(states[-1])
    return states, cancelled


@given(histories)
def test_the_end_of_an_order_depends_only_on_what_came_and_on_its_cancellation(history: list[str]) -> None:
    states, cancelled = live(history)
    end, came = states[-1], set(history)
    assert (end.refunded_at is not None) == ("refunded" in came)
    assert (end.paid_at is not None or end.late_paid_at is not None) == ("paid" in came)
    assert (end.cancelled_at is not None) == (cancelled or "refunded" in came)
    assert (end.rejected_at is not None) == ("declined" in came and not cancelled)
    assert end.pending == (not came)


@given(histories)
def test_a_fact_is_written_once(history: list[str]) -> None:
    states, _ = live(history)
    for before, after in pairwise(states):
        for name in FACTS:
            assert getattr(before, name) in (None, getattr(after, name))


@given(histories)
def test_events_that_come_again_change_nothing(history: list[str]) -> None:
    end = live(history)[0][-1]
    for event in {*history} - {"cancel"}:
        assert rules.apply(end, result(event, START + timedelta(days=1))) is end


@given(histories)
def test_an_order_waits_for_billing_while_money_is_to_come_or_to_go_back(history: list[str]) -> None:
    end = live(history)[0][-1]
    owed = end.cancelled_at is not None and end.refunded_at is None and (end.paid_at or end.late_paid_at) is not None
    assert (end.refund_awaited_from is not None) == owed


@given(histories)
def test_each_result_tells_the_same_facts_each_time(history: list[str]) -> None:
    states, _ = live(history)
    told = [following(after, event) for after, event in zip(states[1:], history, strict=True)]
    assert told == [following(states[-1], event) for event in history]


@pytest.mark.parametrize("change", [{"customer_id": uuid7()}, {"amount": Decimal("12.51")}, {"currency": "USD"}])
@pytest.mark.parametrize("outcome", ["paid", "declined", "refunded"])
def test_another_customer_amount_or_currency_is_a_conflict(outcome: str, change: dict[str, object]) -> None:
    with pytest.raises(Conflict, match=str(ORDER.id)):
        rules.apply(ORDER, msgspec.structs.replace(result(outcome), **change))


@pytest.mark.parametrize(
    ("history", "contradiction"),
    [
        (["declined"], "paid"),
        (["declined"], "refunded"),
        (["paid"], "declined"),
        (["cancel", "paid"], "declined"),
        (["refunded"], "declined"),
    ],
)
def test_an_outcome_that_excludes_what_is_known_is_a_conflict(history: list[str], contradiction: str) -> None:
    with pytest.raises(Conflict, match=str(ORDER.id)):
        live([*history, contradiction])


@pytest.mark.parametrize(("history", "state"), [(["declined"], "rejected"), (["cancel"], "cancelled"), (["refunded"], "cancelled")])
def test_only_a_pending_or_a_paid_order_can_be_cancelled(history: list[str], state: str) -> None:
    with pytest.raises(NotCancellable, match=state):
        rules.cancel(live(history)[0][-1], at=START)


@given(st.data(), catalogues)
def test_an_order_costs_what_the_catalogue_says(data: st.DataObject, catalogue: dict[str, Decimal]) -> None:
    skus = data.draw(st.lists(st.sampled_from(sorted(catalogue)), unique=True, min_size=1))
    items = [(sku, data.draw(st.integers(1, 10_000))) for sku in skus]
    lines, total, currency = rules.price(items, {sku: (price, "EUR") for sku, price in catalogue.items()})
    assert [(line.product, line.quantity, line.price) for line in lines] == [(sku, quantity, catalogue[sku]) for sku, quantity in items]
    assert (total, currency) == (sum(catalogue[sku] * quantity for sku, quantity in items), "EUR")
    assert str(total)[-3] == "."


def test_products_that_are_not_sold_are_named() -> None:
    with pytest.raises(UnknownProducts, match="B, C") as refusal:
        rules.price([("A", 1), ("B", 1), ("C", 1)], {"A": (Decimal("1.00"), "EUR")})
    assert refusal.value.skus == ["B", "C"]


def test_an_order_is_in_one_currency() -> None:
    with pytest.raises(Unplaceable, match="EUR and USD"):
        rules.price([("A", 1), ("B", 1)], {"A": (Decimal("1.00"), "USD"), "B": (Decimal("1.00"), "EUR")})


def test_an_order_costs_no_more_than_money_can_state() -> None:
    catalogue = {"A": (Decimal("999999999.99"), "EUR")}
    assert rules.price([("A", 1)], catalogue)[1] == Decimal("999999999.99")
    with pytest.raises(Unplaceable, match=r"at most 999999999\.99, not 1999999999\.98"):
        rules.price([("A", 2)], catalogue)


@given(st.integers(1, 3600))
def test_an_order_that_waits_is_swept_at_doubling_intervals_up_to_a_day(after_seconds: int) -> None:
    due = [START]
    for sweeps in range(1, 40):
        due.append(rules.sweep_from(sweeps, after_seconds, due[-1]) + timedelta(seconds=after_seconds))
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(due)]
    assert pauses[0] == min(2 * after_seconds, 86_400)
    assert all(later == min(2 * earlier, 86_400) for earlier, later in pairwise(pauses))
    assert pauses[-1] == 86_400


def test_an_order_that_waits_for_days_costs_a_handful_of_sweeps() -> None:
    now, sweeps = START + timedelta(seconds=60), 0
    while now < START + timedelta(days=7):
        sweeps += 1
        now = rules.sweep_from(sweeps, 60, now) + timedelta(seconds=60)
    assert sweeps == 16
