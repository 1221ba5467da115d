"""One batch is one transaction: effects, facts, dead letters and position come together or not at all."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from consumers import batch
from consumers.failures import Fenced
from consumers.models import DeadLetter, Position
from consumers.positions import Anchor, Claim
from consumers.reading import Item
from consumers.tests.stubs import NOW, Doors, claimed, closed, effects, items_of, log_of, opened, outbox, positions, raw, record
from kafka_shop.databases import rows
from kafka_shop.messaging.envelope import LARGEST_DATA_BYTES, FactTooLarge, from_json
from kafka_shop.messaging.events import Event, Handler, Received

pytestmark = pytest.mark.usefixtures("effects_table")

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def apply(items: Sequence[Item], claims: dict[int, Claim], handlers: dict[type[Event], Handler] | None = None) -> int:
    return batch.apply(items, handlers=handlers or Doors().handlers, positions=positions(), claims=claims, now=NOW)


def ids(events: Sequence[Event]) -> list[str]:
    return [event.id for event in events]


def nothing_was_written() -> bool:
    return effects() == [] and outbox() == [] and not DeadLetter.objects.exists() and set(positions().read().values()) <= {0}


def test_effects_facts_and_position_come_with_one_commit() -> None:
    claims, events = claimed(), [opened(1), opened(2), closed(3)]

    assert apply(items_of(log_of(events)), claims) == 3

    assert effects() == ids(events)
    assert len(outbox()) == 3
    assert positions().read() == {0: 3}
    assert (claims[0].position, claims[0].anchor) == (3, Anchor(2, 1_002, events[2].id))


def test_the_anchor_in_the_row_is_the_claims() -> None:
    claims = claimed()
    apply(items_of(log_of([opened(1), opened(2)])), claims)

    assert claimed()[0].anchor == claims[0].anchor


def test_gaps_in_the_log_do_not_matter() -> None:
    claims = claimed()
    apply(items_of([record(opened(1), 5), record(opened(2), 90)]), claims)
    apply(items_of([record(opened(3), 200)]), claims)

    assert positions().read() == {0: 201}


def test_several_partitions_move_together() -> None:
    claims = claimed(0, 1)
    apply(items_of([record(opened(1), 4, 0), record(opened(2), 7, 1), record(opened(3), 5, 0)]), claims)

    assert positions().read() == {0: 6, 1: 8}
    assert {number: claim.position for number, claim in claims.items()} == {0: 6, 1: 8}


def test_messages_of_foreign_types_are_passed_over() -> None:
    headers = [(name, b"another.type" if name == "ce_type" else value or b"") for name, value in record(opened(1), 0).headers]

    assert apply(items_of([raw(0, headers, b"?"), raw(1, headers, b"?")]), claims := claimed()) == 2

    assert effects() == [] and not DeadLetter.objects.exists()
    assert claims[0].position == 2


def test_a_handler_that_raises_leaves_nothing() -> None:
    def fail(ids: list[str]) -> None:
        raise ZeroDivisionError

    claims = claimed()
    with pytest.raises(ZeroDivisionError):
        apply([*items_of(log_of([opened(1), closed(2)])), *items_of([raw(2, [], b"?")])], claims, Doors(fails=fail).handlers)

    assert nothing_was_written()
    assert (claims[0].position, claims[0].anchor) == (0, None)


def test_a_second_wave_that_raises_takes_the_first_back() -> None:
    def fail(ids: list[str]) -> None:
        if "closed" in ids[0]:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        apply(items_of(log_of([opened(1, customer=1), closed(1, customer=1)])), claimed(), Doors(fails=fail).handlers)

    assert nothing_was_written()


def test_a_fact_too_large_leaves_nothing() -> None:
    class Loud(Event, frozen=True, kw_only=True):
        type = "shop.door.banged.v1"
        source, destination, id, time = "/doors", "billing-topic", "door.banged:1", NOW
        noise: str = "x" * LARGEST_DATA_BYTES

    def bang(events: Sequence[Received[Event]]) -> Sequence[Event]:
        return [Loud(order_id=received.event.order_id, customer_id=received.event.customer_id) for received in events]

    with pytest.raises(FactTooLarge, match=r"door\.banged:1"):
        apply(items_of(log_of([opened(1)])), claimed(), {type(opened(1)): bang})

    assert nothing_was_written()


@pytest.mark.parametrize("lost", ["owner", "position", "one of two partitions"])
def test_who_is_fenced_leaves_nothing_and_calls_no_handler(lost: str) -> None:
    claims, doors = claimed(0, 1), Doors()
    if lost == "owner":
        claimed(0, 1)
    elif lost == "position":
        Position.objects.update(position=7)
    else:
        claimed(1)

    with pytest.raises(Fenced, match=r"billing: a partition of \[0, 1\] has another owner or position"):
        apply(items_of([record(opened(1), 0, 0), record(opened(2), 0, 1)]), claims, doors.handlers)

    assert doors.calls == [] and effects() == [] and outbox() == []
    assert all(claim.position == 0 for claim in claims.values())


def test_the_same_batch_twice_is_applied_once() -> None:
    claims = claimed()
    stale = replace(claims[0])
    items = items_of(log_of([opened(1)]))
    apply(items, claims)

    with pytest.raises(Fenced):
        apply(items, {0: stale})

    assert effects() == [opened(1).id]


def test_the_batch_is_cut_before_its_ninth_wave_and_the_rest_is_untouched() -> None:
    events = [opened(n, customer=1) if n % 2 else closed(n, customer=1) for n in range(20)]
    items, claims, doors = items_of([*log_of(events)]), claimed(), Doors()

    assert apply(items, claims, doors.handlers) == 8
    assert positions().read() == {0: 8}
    assert apply(items[8:], claims, doors.handlers) == 8
    assert apply(items[16:], claims, doors.handlers) == 4

    assert effects() == ids(events)
    assert doors.calls == [[event.id] for event in events]


def test_a_cut_takes_along_what_is_refused_or_foreign_before_it() -> None:
    events = [opened(n, customer=1) if n % 2 else closed(n, customer=1) for n in range(9)]
    records = [*log_of(events[:8]), raw(8, [], b"?"), record(events[8], 9), raw(10, [], b"?")]
    claims = claimed()

    assert apply(items_of(records), claims) == 9

    assert claims[0].position == 9
    assert list(DeadLetter.objects.values_list("offset", flat=True)) == [8]


def test_a_handler_gets_its_events_as_a_set_with_their_places_and_one_time() -> None:
    seen: list[Received[Event]] = []

    def handle(events: Sequence[Received[Event]]) -> Sequence[Event]:
        seen.extend(events)
        return []

    apply(items_of(log_of([opened(1), opened(2)], start=40)), claimed(), {type(opened(1)): handle})

    assert [(received.event, received.at, received.partition, received.offset) for received in seen] == [
        (opened(1), NOW, 0, 40),
        (opened(2), NOW, 0, 41),
    ]


def test_facts_go_on_with_the_trace_of_their_cause() -> None:
    apply(items_of([record(opened(1), 0, traceparent=TRACE), record(opened(2), 1)]), claimed())

    stored = rows("default", "SELECT event FROM messaging_outboxrow ORDER BY number")
    assert [from_json(bytes(event)).traceparent for (event,) in stored] == [TRACE, ""]
