"""The waterfall: where an order's time went, by chapter and step."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from consumers.console.waterfall import Chapter, chapters
from consumers.ops.stored import Stored
from consumers.ops.trace import Fact

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
ID = UUID(int=1)


def after(ms: float) -> datetime:
    return AT + timedelta(milliseconds=ms)


def row(ms: float) -> UUID:
    """A row that was made then."""
    return UUID(int=int(after(ms).timestamp() * 1000) << 80)


PLACED = Fact("order.placed", "order.placed:x", "order-topic", AT, 1, 0, after(30), row(40), published_at=after(10))
SETTLED = Fact("invoice.settled", "invoice.settled:x", "billing-topic", after(30), 1, 0, after(70), published_at=after(60))
LETTER = Fact("order.settled", "order.settled:x:paid", "notify-topic", after(70), 1, 0, after(95), row(100), published_at=after(80))
WHOLE = [PLACED, SETTLED, LETTER]


def told(facts: list[Fact], now: float = 1000) -> list[Chapter]:
    return chapters(facts, Stored(order_id=ID), after(now))


def lines(chapter: Chapter) -> dict[str, list[tuple[str, float]]]:
    """What each step's time was, in milliseconds."""
    return {step.what: [(span.kind, span.ms) for span in step.spans] for step, _ in chapter.lines}


def test_waiting_in_the_outbox_waiting_in_the_log_and_working_are_told_apart() -> None:
    [chapter] = told(WHOLE)
    assert lines(chapter) == {
        "accepted": [("accepted", 0)],
        "published": [("outbox", 10)],
        "billed": [("log", 20), ("working", 10)],
        "settled": [("outbox", 20), ("log", 10)],  # the outbox's wait begins when billing's work is done
        "letter": [("outbox", 10), ("log", 15), ("working", 5)],
    }
    assert (chapter.title, chapter.ms, chapter.lasts) == ("Placed", 100, False)


def test_the_times_of_a_chapter_make_up_its_whole_time() -> None:
    [chapter] = told(WHOLE)
    assert sum(ms for spans in lines(chapter).values() for _, ms in spans) == chapter.ms


def test_the_bars_lie_where_their_time_was() -> None:
    [chapter] = told(WHOLE)
    drawn = {step.what: [(bar.x, bar.width) for bar in bars] for step, bars in chapter.lines}
    assert drawn["billed"] == [(10, 20), (30, 10)]
    assert drawn["letter"][-1] == (95, 5)


def test_a_bar_is_never_too_narrow_to_be_seen_nor_outside() -> None:
    quick = PLACED._replace(applied_at=after(99_999), row_id=row(99_999.1), published_at=after(0.01))
    for _, bars in told([quick])[0].lines:
        assert all(bar.width >= 0.6 and bar.x >= 0 and bar.x + bar.width <= 100 for bar in bars)


def test_without_the_time_of_its_record_outbox_and_log_are_one_wait() -> None:
    [chapter] = told([fact._replace(published_at=None) for fact in WHOLE])
    assert lines(chapter)["published"] == []
    assert lines(chapter)["billed"] == [("waiting", 30), ("working", 10)]


def test_a_fact_whose_service_does_not_tell_begins_when_it_was_published() -> None:
    [chapter] = told([PLACED._replace(at=None), SETTLED])
    assert lines(chapter)["billed"] == [("log", 20), ("working", 10)]
    assert chapter.begin == after(10)


def test_an_order_that_is_cancelled_after_a_week_keeps_its_milliseconds() -> None:
    week = 7 * 86_400_000
    cancelled = Fact("order.cancelled", "order.cancelled:x", "order-topic", after(week), 1, 1, after(week + 50))
    letter = Fact("order.settled", "order.settled:x:cancelled", "notify-topic", after(week), 1, 1, after(week + 90))
    first, second = told([*WHOLE, cancelled, letter])
    assert (first.title, first.ms) == ("Placed", 100)
    assert (second.title, second.begin, second.ms) == ("Cancelled by its customer", after(week), 90)


def test_an_invoice_that_its_customer_paid_later_begins_a_chapter() -> None:
    paid = SETTLED._replace(at=after(60_000), published_at=None, applied_at=after(60_040))
    assert [chapter.title for chapter in told([PLACED, paid])] == ["Placed", "Paid by its customer"]


def test_what_is_on_its_way_lasts_until_now() -> None:
    [chapter] = told([PLACED, SETTLED._replace(applied_at=None, published_at=None)], now=540)
    assert lines(chapter)["on its way"] == [("open", 500)]
    assert (chapter.lasts, chapter.ms) == (True, 540)


def test_a_dead_letter_ends_the_wait() -> None:
    [chapter] = told([PLACED._replace(applied_at=None, row_id=None, passed_at=after(30))], now=1e9)
    assert lines(chapter)["dead letter"] == [("log", 20), ("dead", 0)]
    assert chapter.ms == 30  # it stays readable, however long nobody mends it


@pytest.mark.parametrize("gone", ["orders", "billing"])
def test_a_part_that_is_not_told_leaves_the_rest(gone: str) -> None:
    facts = {
        "orders": [PLACED._replace(at=None), SETTLED._replace(applied_at=None), LETTER._replace(at=None)],
        "billing": [PLACED._replace(applied_at=None), LETTER],
    }
    assert {step.what for chapter in told(facts[gone]) for step, _ in chapter.lines} >= {"letter"}
