"""The courier: what was acknowledged goes, what was not stays, and nothing waits for anything else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from kafka_shop.databases import run
from kafka_shop.messaging import relay
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.messaging.relay import Courier, to_all
from kafka_shop.messaging.tests.carrying import BUSY, TOO_LARGE, Carrier, publish, turn, waiting
from kafka_shop.messaging.tests.stubs import said, several
from tests.sessions import second_session

pytestmark = pytest.mark.usefixtures("committed")


def test_exactly_what_was_acknowledged_is_deleted(courier: Courier, carrier: Carrier) -> None:
    one, two, three, four = publish(*several(4))
    carrier.refused, carrier.silent = {two: BUSY}, {three}

    assert turn(courier) == 2

    assert carrier.windows == [[one, two, three, four]]
    assert waiting() == [two, three]


def test_another_destinations_rows_stay(carrier: Carrier) -> None:
    publish(said())

    assert turn(Courier("default", "billing-topic", carrier)) == 0
    assert len(waiting()) == 1


def test_the_same_fact_on_its_way_to_another_destination_stays(courier: Courier) -> None:
    publish(said())
    run("default", "INSERT INTO messaging_outboxrow SELECT number + 1, 'billing-topic', event_id, key, event, false, 0, NULL, '', now()"
        " FROM messaging_outboxrow")  # fmt: skip

    assert turn(courier) == 1
    assert OutboxRow.objects.get().destination == "billing-topic"


def test_a_row_that_was_not_acknowledged_is_postponed_and_holds_up_no_other(courier: Courier, carrier: Carrier) -> None:
    failed, _ = publish(*several(2))
    carrier.refused = {failed: BUSY}
    turn(courier)
    [new] = publish(said())

    assert turn(courier) == 1
    assert carrier.windows[-1] == [new]
    row = OutboxRow.objects.get()
    assert (row.number, row.attempts, row.refused) == (failed, 1, "")
    assert row.not_before is not None
    assert timedelta(seconds=1) < row.not_before - timezone.now() < timedelta(seconds=relay.LONGEST_BACKOFF_SECONDS)


def test_a_postponed_row_goes_when_its_time_has_come(courier: Courier, carrier: Carrier) -> None:
    [failed] = publish(said())
    carrier.silent = {failed}
    turn(courier)
    carrier.silent = set()

    assert turn(courier) == 0
    courier._full_scan_at = 0
    assert turn(courier, later=timedelta(seconds=6)) == 1
    assert waiting() == []


def test_a_row_that_is_refused_for_good_is_set_aside_and_shown(courier: Courier, carrier: Carrier) -> None:
    large, fine = publish(*several(2))
    carrier.refused = {large: TOO_LARGE}

    assert turn(courier) == 1
    courier._full_scan_at = 0
    assert turn(courier, later=timedelta(days=1)) == 0

    row = OutboxRow.objects.get()
    assert (row.number, row.refused, row.attempts) == (large, "message too large", 1)
    assert carrier.windows == [[large, fine]]


def test_a_lower_number_that_is_committed_later_is_found(courier: Courier, carrier: Carrier) -> None:
    with second_session() as late:
        [[low]] = late.execute(
            "INSERT INTO messaging_outboxrow (destination, event_id, key, event, resent, attempts, refused, created_at)"
            " VALUES ('order-topic', 'late', 'k', '{}', false, 0, '', now()) RETURNING number"
        ).fetchall()
        [high] = publish(said())
        turn(courier)
        late.commit()
    turn(courier)

    assert low < high
    assert carrier.windows == [[high], [low]]
    assert waiting() == []


def test_rows_that_were_put_back_fill_only_the_room_that_new_ones_leave(
    courier: Courier, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "WINDOW", 3)
    again = publish(*several(2), resent=True)
    new = publish(*several(6)[2:])
    for _ in range(2):
        turn(courier)

    assert carrier.windows == [new[:3], [new[3], *again]]


@pytest.mark.parametrize("resent", [False, True])
def test_a_window_is_bounded_in_bytes_but_takes_at_least_one_row(courier: Courier, carrier: Carrier, resent: bool) -> None:
    third = several(7, "x" * (relay.WINDOW_BYTES // 5))
    numbers = publish(*third, resent=resent)
    run("default", "UPDATE messaging_outboxrow SET event = convert_to(repeat('x', %s), 'UTF8') WHERE number = %s", 2**21, numbers[5])
    for _ in range(4):
        turn(courier)

    assert carrier.windows == [numbers[:4], numbers[4:5], numbers[5:6], numbers[6:]]


def test_a_carrier_that_breaks_loses_and_postpones_nothing(courier: Courier, carrier: Carrier) -> None:
    numbers = publish(*several(2))

    def break_down() -> None:
        raise ConnectionError

    carrier.during = break_down
    with pytest.raises(ConnectionError):
        turn(courier)
    carrier.during = lambda: None

    assert turn(courier) == 2
    assert carrier.windows == [numbers, numbers]


def test_without_room_nothing_is_carried(courier: Courier, carrier: Carrier) -> None:
    publish(said())
    courier.room = lambda: False

    assert turn(courier) == 0
    assert carrier.windows == [] and len(waiting()) == 1


def test_of_several_destinations_all_must_take_a_row() -> None:
    first, second = Carrier(refused={1: BUSY}), Carrier(silent={2}, refused={3: TOO_LARGE})

    assert to_all([first, second])([(number, "key", b"") for number in (1, 2, 3, 4)]) == ([4], {1: BUSY, 3: TOO_LARGE})
    assert second.windows == [[2, 3, 4]]
