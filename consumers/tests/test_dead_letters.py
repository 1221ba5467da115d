"""Dead letters: kept as they came, one for each event, closed when the event is applied; a flood of them stops the consumer."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from pytest_django import Settings

from consumers import batch
from consumers.dead_letters import FLOOD_WINDOW, Flooded, fingerprint
from consumers.models import DeadLetter
from consumers.positions import Log, Positions
from consumers.reading import Item
from consumers.tests.stubs import NOW, TOPIC, Doors, claimed, closed, items_of, opened, outbox, positions, raw, record, uuid

pytestmark = pytest.mark.usefixtures("effects_table")

LATER = NOW + timedelta(hours=1)


def apply(*items: Item, now: datetime = NOW, consumer: str = "billing") -> None:
    """Applies items as a consumer that has just started."""
    rows = Positions("default", consumer, TOPIC)
    claims = {claim.partition: claim for claim in rows.claim([0, 1])}
    assert batch.apply(items, handlers=Doors().handlers, positions=rows, claims=claims, now=now) == len(items)


def refused(event_number: int, offset: int, reason: str = "Conflict: the door is gone", attempts: int = 3) -> Item:
    [item] = items_of([record(opened(event_number), offset)])
    item.refusal, item.attempts = reason, attempts
    return item


def unreadable(*offsets: int, partition: int = 0) -> list[Item]:
    return items_of([raw(offset, [], b"?", partition) for offset in offsets])


def letter() -> DeadLetter:
    return DeadLetter.objects.get()


def test_a_message_is_kept_as_it_came_with_the_reason() -> None:
    headers = [("ce_id", b"x"), ("binary", b"\x00\xff\n"), ("text", b"\\u0000"), ("n\0me", b"")]
    apply(*items_of([raw(7, headers, b"\x00?\xff", key=b"\x00k")]))

    kept = letter()
    assert (bytes(kept.key or b""), bytes(kept.value or b"")) == (b"\x00k", b"\x00?\xff")
    assert kept.headers == [["ce_id", "x"], ["binary", "\ufffd\xff\n"], ["text", "\\u0000"], ["n\ufffdme", ""]]
    assert (kept.consumer, kept.topic, kept.partition, kept.offset) == ("billing", TOPIC, 0, 7)
    assert (kept.reason, kept.event_type, kept.subject) == ("unreadable: the header ce_type is missing", "", "")
    assert (kept.attempts, kept.failed_at, kept.closed_at, kept.outcome) == (1, NOW, None, "")


def test_a_message_without_key_and_value_is_kept_too() -> None:
    apply(*items_of([raw(7, [], None, key=None)]))

    assert (letter().key, letter().value, letter().headers) == (None, None, [])


def test_a_refused_event_is_known_by_its_id_type_and_subject() -> None:
    apply(refused(1, 7))

    kept = letter()
    assert (kept.identity, kept.event_type, kept.subject) == (opened(1).id, "shop.door.opened.v1", str(uuid(1)))
    assert (kept.reason, kept.attempts) == ("Conflict: the door is gone", 3)


def test_a_refused_event_has_no_effect_and_no_fact() -> None:
    apply(refused(1, 7))

    assert outbox() == []
    assert positions().read()[0] == 8


@pytest.mark.parametrize(("log", "known"), [(Log("cluster", "topic"), "topic"), (Log("cluster", ""), "cluster")])
def test_an_unreadable_message_is_known_by_its_place_in_its_log(log: Log, known: str) -> None:
    claims = claimed()
    claims[0].log = log
    batch.apply(unreadable(7), handlers={}, positions=positions(), claims=claims, now=NOW)

    assert letter().identity == f"{known}/order-topic[0]@7"


def test_an_event_twice_in_a_batch_is_one_dead_letter() -> None:
    apply(refused(1, 7), refused(1, 8))

    assert letter().offset == 8


def test_an_event_that_fails_again_adds_its_attempts_and_shows_the_last_reason() -> None:
    apply(refused(1, 7))
    apply(refused(1, 9, "Conflict: another door"), now=LATER)

    kept = letter()
    assert (kept.attempts, kept.offset, kept.reason, kept.failed_at) == (6, 9, "Conflict: another door", LATER)


def test_each_consumer_has_its_own_dead_letter_of_an_event() -> None:
    apply(refused(1, 7))
    apply(refused(1, 7), consumer="notify")

    assert set(DeadLetter.objects.values_list("consumer", flat=True)) == {"billing", "notify"}


def test_an_event_that_is_applied_later_closes_its_dead_letter_and_no_other() -> None:
    apply(refused(1, 7), refused(2, 8))
    apply(refused(1, 7), consumer="notify")

    apply(*items_of([record(opened(1), 9), record(closed(2), 10)]), now=LATER)

    closed_ones = DeadLetter.objects.filter(closed_at__isnull=False)
    assert [(each.consumer, each.identity, each.outcome, each.closed_at) for each in closed_ones] == [
        ("billing", opened(1).id, "applied", LATER)
    ]


def test_an_event_that_fails_after_it_was_applied_opens_its_dead_letter_again() -> None:
    apply(refused(1, 7))
    apply(*items_of([record(opened(1), 8)]))
    apply(refused(1, 9))

    assert (letter().closed_at, letter().outcome) == (None, "")


def test_what_a_person_discarded_stays_closed() -> None:
    apply(refused(1, 7))
    DeadLetter.objects.update(closed_at=NOW, outcome="discarded")

    apply(refused(1, 9), now=LATER)

    assert (letter().closed_at, letter().outcome) == (NOW, "discarded")


@pytest.mark.parametrize("reason", ["Conflict: a\0b", "Conflict: " + "x" * 5000])
def test_any_reason_can_be_kept(reason: str) -> None:
    apply(refused(1, 7, reason))

    assert letter().reason == reason.replace("\0", "\ufffd")[:500]


names = st.sampled_from(["ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "ce_subject", "content-type", "x"])
values = st.none() | st.binary(max_size=40) | st.text(max_size=600).map(str.encode) | st.sampled_from([b"1.0", b"2026-01-31T09:00:00Z"])
messages = st.lists(st.tuples(st.lists(st.tuples(names, values), max_size=9), st.none() | st.binary(max_size=50)), max_size=5)


@hypothesis(max_examples=60)
@given(messages)
def test_whatever_lies_in_the_log_the_partition_goes_on(contents: list[tuple[list[tuple[str, bytes]], bytes | None]]) -> None:
    DeadLetter.objects.all().delete()

    apply(*items_of([raw(offset, *content) for offset, content in enumerate(contents)] + [record(opened(1), 9)]))

    assert positions().read()[0] == 10
    positions().reset(claimed()[0], 0, Log("c", ""))


def test_like_failures_have_one_fingerprint() -> None:
    first = fingerprint(f"Conflict: order {uuid(1)} has 3 doors", "placed")

    assert first == fingerprint(f"Conflict: order {uuid(2)} has 14 doors", "placed")
    assert first != fingerprint(f"Conflict: order {uuid(1)} has 3 doors", "cancelled")
    assert first != fingerprint("Conflict: no doors", "placed")


class TestFlood:
    HALF = FLOOD_WINDOW // 2

    def test_more_than_the_share_of_the_last_messages_stops_the_consumer_and_writes_none(self) -> None:
        with pytest.raises(Flooded, match=r"billing: more than 50% of the last 200 messages of partition 0 failed: mend the cause"):
            apply(*unreadable(*range(self.HALF + 1)))

        assert not DeadLetter.objects.exists()
        assert positions().read()[0] == 0

    def test_up_to_the_share_of_failures_is_no_flood(self) -> None:
        apply(*unreadable(*range(self.HALF)))

        assert DeadLetter.objects.count() == self.HALF

    def test_the_count_goes_on_after_a_restart_and_one_more_is_refused_again_and_again(self) -> None:
        apply(*unreadable(*range(self.HALF)))

        for _ in range(2):
            with pytest.raises(Flooded):
                apply(*unreadable(self.HALF))

        assert DeadLetter.objects.count() == self.HALF

    def test_failures_among_many_good_messages_are_no_flood(self) -> None:
        apply(*unreadable(*range(0, 10 * self.HALF, 3)))

    def test_a_flood_in_the_middle_of_a_batch_is_seen(self) -> None:
        with pytest.raises(Flooded):
            apply(*unreadable(*range(self.HALF + 1), 900))

    def test_failures_out_of_the_window_are_forgotten(self) -> None:
        apply(*unreadable(*range(self.HALF)))
        apply(*unreadable(*range(FLOOD_WINDOW, FLOOD_WINDOW + self.HALF)))

    def test_closed_dead_letters_and_other_partitions_do_not_count(self) -> None:
        apply(*unreadable(*range(self.HALF)), *unreadable(*range(self.HALF), partition=1))
        DeadLetter.objects.filter(partition=0).update(closed_at=NOW, outcome="discarded")

        apply(*unreadable(*range(self.HALF, 2 * self.HALF)))

    def test_dead_letters_of_an_older_log_do_not_count_in_a_new_one(self) -> None:
        for log in (Log("cluster", "old"), Log("cluster", "new")):
            claims = claimed()
            positions().reset(claims[0], 0, log)
            claims[0].position, claims[0].log = 0, log
            batch.apply(unreadable(*range(self.HALF)), handlers={}, positions=positions(), claims=claims, now=NOW)

        assert list(DeadLetter.objects.order_by("log").values_list("log", flat=True).distinct()) == ["new", "old"]
        assert DeadLetter.objects.count() == 2 * self.HALF

    def test_the_share_is_a_setting(self, settings: Settings) -> None:
        settings.FLOOD_SHARE = 0.01

        with pytest.raises(Flooded, match="more than 1%"):
            apply(*unreadable(1, 2, 3))
