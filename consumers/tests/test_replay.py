"""Replay: an event that failed is applied by its own consumer, in the order of its key, or stays open with its newest reason."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Thread

import pytest
from django.db import OperationalError, ProgrammingError, connection
from pytest_django import Settings

from consumers import batch, replay
from consumers.choosing import Choice, count, find
from consumers.models import DeadLetter
from consumers.positions import Positions
from consumers.reading import Item, Reader
from consumers.receiving import receive
from consumers.replay import Outcome
from consumers.routes import ROUTES, Route
from consumers.tests.stubs import CONSUMER, NOW, TOPIC, Closed, Doors, Opened, closed, effects, items_of, opened, outbox, raw, record, uuid
from kafka_shop.databases import rows
from kafka_shop.messaging.envelope import seal, to_json, to_kafka
from kafka_shop.messaging.events import Conflict, Event
from tests.kafka.probe import wait_until

LATER = NOW + timedelta(hours=1)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def routes(monkeypatch: pytest.MonkeyPatch, doors: Doors) -> None:
    """Two consumers of the stub events: what one of them does is not to be the other's."""
    for name in (CONSUMER, "notify"):
        monkeypatch.setitem(ROUTES, name, Route(f"shop.{name}", TOPIC, doors.handlers))


def fail(*items: Item, now: datetime = NOW, consumer: str = CONSUMER, reason: str = "Conflict: the door is gone") -> list[DeadLetter]:
    """Messages that a consumer passed over; returns their letters."""
    positions = Positions("default", consumer, TOPIC)
    for item in items:
        item.refusal, item.attempts = item.refusal or reason, 3
    claims = {claim.partition: claim for claim in positions.claim([0, 1])}
    batch.apply(items, handlers={}, positions=positions, claims=claims, now=now)
    return list(DeadLetter.objects.filter(consumer=consumer, failed_at=now).order_by("offset"))


def failed_events(*events: Event, start: int = 0, now: datetime = NOW, consumer: str = CONSUMER) -> list[DeadLetter]:
    return fail(*items_of(record(event, offset) for offset, event in enumerate(events, start)), now=now, consumer=consumer)


def replayed(*letters: DeadLetter, dry_run: bool = False) -> list[tuple[str, str]]:
    """What became of each, by its identity."""
    return [(each.letter.identity, each.state) for each in outcomes(*letters, dry_run=dry_run)]


def outcomes(*letters: DeadLetter, dry_run: bool = False) -> list[Outcome]:
    return list(replay.replay(letters=letters, clock=lambda: LATER, dry_run=dry_run))


def failing(*broken: Event) -> Callable[[Sequence[str]], None]:
    """A handler that cannot apply these events."""

    def fails(ids: Sequence[str]) -> None:
        if {each.id for each in broken} & set(ids):
            raise Conflict("the door is still gone")

    return fails


@pytest.mark.usefixtures("effects_table")
def test_a_replayed_event_has_its_effect_and_its_fact_leaves_by_the_outbox() -> None:
    [letter] = failed_events(opened(1))

    assert replayed(letter) == [(opened(1).id, "replayed")]

    assert effects() == [opened(1).id]
    assert outbox() == [f"door.heard:{uuid(1)}"]
    letter.refresh_from_db()
    assert (letter.state, letter.closed_at, letter.attempts) == ("replayed", LATER, 4)


@pytest.mark.usefixtures("effects_table")
def test_the_effect_keeps_where_its_event_was_read_and_the_fact_the_trace_of_its_cause() -> None:
    [letter] = fail(*items_of([record(opened(1), 7, partition=1, traceparent=TRACE)]))

    replayed(letter)

    assert rows("default", "SELECT read_at FROM effects") == [("7",)]
    assert TRACE.encode() in bytes(rows("default", "SELECT event FROM messaging_outboxrow")[0][0])


@pytest.mark.usefixtures("effects_table")
def test_a_replay_does_not_move_the_position_of_its_consumer() -> None:
    [letter] = failed_events(opened(1), start=7)
    replayed(letter)
    assert Positions("default", CONSUMER, TOPIC).read() == {0: 8, 1: 0}


@pytest.mark.usefixtures("effects_table")
def test_a_replay_reaches_its_own_consumer_only(doors: Doors) -> None:
    [letter] = failed_events(opened(1))
    [others] = failed_events(opened(1), consumer="notify")

    replayed(letter)

    assert doors.calls == [[opened(1).id]]
    others.refresh_from_db()
    assert others.state == "open"


@pytest.mark.usefixtures("effects_table")
def test_what_is_closed_is_not_applied_again() -> None:
    [letter] = failed_events(opened(1))
    replayed(letter)

    assert replayed(letter) == [(opened(1).id, "gone")]

    assert effects() == [opened(1).id]
    letter.refresh_from_db()
    assert letter.attempts == 4


@pytest.mark.usefixtures("effects_table")
def test_a_replay_that_fails_leaves_the_letter_open_with_its_newest_reason_and_counts_the_try(doors: Doors) -> None:
    [letter] = failed_events(opened(1))
    before = letter.fingerprint
    doors.fails = failing(opened(1))

    assert outcomes(letter)[0].reason == "Conflict: the door is still gone"

    letter.refresh_from_db()
    assert (letter.state, letter.reason, letter.attempts) == ("open", "Conflict: the door is still gone", 4)
    assert letter.fingerprint != before
    assert letter.failed_at == NOW
    assert (effects(), outbox()) == ([], [])


@pytest.mark.usefixtures("effects_table")
def test_a_letter_that_fails_does_not_hold_up_other_customers(doors: Doors) -> None:
    letters = failed_events(opened(1), opened(2))
    doors.fails = failing(opened(1))
    assert replayed(*letters) == [(opened(1).id, "failed"), (opened(2).id, "replayed")]


@pytest.mark.usefixtures("effects_table")
class TestOrder:
    def test_older_open_ones_of_the_same_key_are_applied_first_chosen_or_not(self) -> None:
        letters = failed_events(opened(1, customer=7), closed(1, customer=7), opened(2, customer=8))

        assert replayed(letters[1]) == [(opened(1).id, "replayed"), (closed(1).id, "replayed")]
        assert effects() == [opened(1).id, closed(1).id]

    def test_it_is_the_order_of_the_log_not_of_the_names(self) -> None:
        letters = failed_events(opened(2, customer=7), closed(2, customer=7), opened(1, customer=7))
        replayed(*reversed(letters))
        assert effects() == [opened(2).id, closed(2).id, opened(1).id]

    def test_behind_one_that_fails_the_younger_ones_of_its_key_stay_open(self, doors: Doors) -> None:
        letters = failed_events(opened(1, customer=7), closed(1, customer=7), opened(2, customer=8))
        doors.fails = failing(opened(1, customer=7))

        assert replayed(*letters) == [(opened(1).id, "failed"), (closed(1).id, "held back"), (opened(2).id, "replayed")]

        letters[1].refresh_from_db()
        assert (letters[1].state, letters[1].attempts) == ("open", 3)
        assert effects() == [opened(2).id]

    def test_a_replay_that_failed_keeps_its_place(self, doors: Doors) -> None:
        [first] = failed_events(opened(1, customer=7))
        [second] = failed_events(closed(1, customer=7), start=1, now=NOW + timedelta(minutes=1))
        doors.fails = failing(opened(1, customer=7))
        replayed(first)
        doors.fails = None

        assert replayed(second) == [(opened(1).id, "replayed"), (closed(1).id, "replayed")]

    def test_another_consumers_letter_of_the_key_holds_up_nothing(self, doors: Doors) -> None:
        failed_events(opened(1, customer=7), consumer="notify")
        [letter] = failed_events(closed(1, customer=7))
        assert replayed(letter) == [(closed(1).id, "replayed")]

    def test_messages_without_a_key_hold_up_nothing(self) -> None:
        letters = fail(*items_of([raw(0, [], b"?", key=None), raw(1, [], b"?", key=b"")]), *items_of([record(opened(1), 2)]))
        assert [state for _, state in replayed(*letters)] == ["failed", "failed", "replayed"]


@pytest.mark.usefixtures("effects_table")
class TestDryRun:
    def test_it_runs_the_handler_and_changes_nothing(self, doors: Doors) -> None:
        [letter] = failed_events(opened(1))

        assert replayed(letter, dry_run=True) == [(opened(1).id, "replayed")]

        assert doors.calls == [[opened(1).id]]
        assert (effects(), outbox()) == ([], [])
        letter.refresh_from_db()
        assert (letter.state, letter.attempts, letter.reason) == ("open", 3, "Conflict: the door is gone")

    def test_it_says_what_would_fail_and_counts_no_try(self, doors: Doors) -> None:
        [letter] = failed_events(opened(1))
        doors.fails = failing(opened(1))

        assert outcomes(letter, dry_run=True)[0][1:] == ("failed", "Conflict: the door is still gone")

        letter.refresh_from_db()
        assert (letter.attempts, letter.reason) == (3, "Conflict: the door is gone")


@pytest.mark.usefixtures("effects_table")
class TestMessages:
    def test_an_event_of_a_newer_version_is_applied_once_its_version_is_known(self, monkeypatch: pytest.MonkeyPatch, doors: Doors) -> None:
        headers, value = to_kafka(seal(opened(1)))
        newer = [(name, b"shop.door.opened.v2" if name == "ce_type" else content) for name, content in headers]
        [letter] = fail(*items_of([raw(7, newer, value)]))
        assert replayed(letter) == [(opened(1).id, "failed")]

        class OpenedV2(Opened, frozen=True, kw_only=True):
            type = "shop.door.opened.v2"

        monkeypatch.setitem(ROUTES, CONSUMER, Route("g", TOPIC, {**doors.handlers, OpenedV2: doors.handle}))

        assert replayed(letter) == [(opened(1).id, "replayed")]
        assert effects() == [opened(1).id]

    def test_what_came_over_http_is_applied_too_and_lies_nowhere(self, doors: Doors) -> None:
        doors.fails = failing(opened(1))
        receive(CONSUMER, [to_json(seal(opened(1)))])
        doors.fails = None
        letter = DeadLetter.objects.get()

        assert replayed(letter) == [(opened(1).id, "replayed")]
        assert rows("default", "SELECT read_at FROM effects") == [("None",)]

    def test_over_http_the_order_of_a_customer_is_kept_too(self, doors: Doors) -> None:
        doors.fails = failing(opened(1, customer=7), closed(1, customer=7))
        receive(CONSUMER, [to_json(seal(each)) for each in (opened(1, customer=7), closed(1, customer=7))])
        doors.fails = None

        replayed(DeadLetter.objects.get(identity=closed(1).id))

        assert effects() == [opened(1).id, closed(1).id]

    @pytest.mark.parametrize("headers", [[("ce_id", b"\xff"), ("n\0", b"\0")], [("x", None)], []])
    @pytest.mark.parametrize("value", [None, b"", b"\x00\xff"])
    def test_what_can_never_be_read_stays_open(self, headers: list[tuple[str, bytes]], value: bytes | None) -> None:
        [letter] = fail(*items_of([raw(7, headers, value)]))
        assert [state for _, state in replayed(letter)] == ["failed"]
        letter.refresh_from_db()
        assert letter.reason.startswith("unreadable: ")

    def test_a_type_that_the_consumer_no_longer_takes_stays_open(self, monkeypatch: pytest.MonkeyPatch, doors: Doors) -> None:
        [letter] = failed_events(opened(1))
        monkeypatch.setitem(ROUTES, CONSUMER, Route("g", TOPIC, {}))
        assert outcomes(letter)[0].reason == "billing takes no events of this type"

    def test_headers_are_read_as_they_came(self) -> None:
        headers, value = to_kafka(seal(opened(1)))
        more = [("who", "Алиса".encode()), ("all", bytes(range(256)))]
        [letter] = fail(*items_of([raw(7, [*headers, *more], value)]))
        assert replay.record_of(letter).headers == [*headers, *more]
        assert Reader({Opened.type: Opened, Closed.type: Closed}).read(replay.record_of(letter)).event == opened(1)


@pytest.mark.usefixtures("effects_table")
class TestFaultsOfOthers:
    @pytest.mark.parametrize("error", [OperationalError("the connection is lost"), ProgrammingError("no such table")])
    def test_they_end_the_replay_and_the_letter_keeps_its_reason(self, doors: Doors, error: Exception) -> None:
        if isinstance(error, ProgrammingError):
            error.__cause__ = type("Undefined", (Exception,), {"sqlstate": "42P01"})()
        [letter] = failed_events(opened(1))

        def fails(ids: object) -> None:
            raise error

        doors.fails = fails
        with pytest.raises(type(error)):
            outcomes(letter)
        letter.refresh_from_db()
        assert (letter.state, letter.reason) == ("open", "Conflict: the door is gone")

    def test_a_lost_race_is_run_once_more(self, doors: Doors) -> None:
        [letter] = failed_events(opened(1))
        errors = [OperationalError("deadlock detected")]

        def fails(ids: object) -> None:
            if errors:
                raise errors.pop()

        doors.fails = fails
        assert replayed(letter) == [(opened(1).id, "replayed")]
        assert effects() == [opened(1).id]

    def test_a_message_that_kills_the_process_has_its_try_counted_before(self, doors: Doors) -> None:
        [letter] = failed_events(opened(1))

        def die(ids: object) -> None:
            raise SystemExit

        doors.fails = die
        with pytest.raises(SystemExit):
            outcomes(letter)
        letter.refresh_from_db()
        assert (letter.state, letter.attempts) == ("open", 4)


@pytest.mark.usefixtures("effects_table")
class TestDiscard:
    def test_the_row_stays_closed_with_the_reason_also_when_it_fails_again(self) -> None:
        [letter] = failed_events(opened(1))

        assert replay.discard(letters=[letter], why="a test of ours\0", now=LATER) == 1

        fail(*items_of([record(opened(1), 9)]), now=LATER + timedelta(hours=1))
        letter.refresh_from_db()
        assert (letter.state, letter.closed_at, letter.closed_because) == ("discarded", LATER, "a test of ours\ufffd")
        assert bytes(letter.value or b"")
        assert effects() == []

    def test_what_is_closed_is_left_alone(self) -> None:
        [letter] = failed_events(opened(1))
        replayed(letter)
        assert replay.discard(letters=[letter], why="too late", now=LATER) == 0
        letter.refresh_from_db()
        assert letter.state == "replayed"


@pytest.mark.usefixtures("effects_table")
def test_tries_keep_to_a_pace_and_what_is_not_tried_waits_for_nothing() -> None:
    slept: list[float] = []
    told = [Outcome(DeadLetter(), state) for state in ("replayed", "held back", "left out", "failed")]
    assert list(replay.paced(told, 0.01, sleep=slept.append)) == told
    assert [round(seconds, -1) for seconds in slept] == [100, 100, 100, 200]  # counted from the begin


class TestChoice:
    @pytest.fixture(autouse=True)
    def letters(self, effects_table: None) -> None:
        failed_events(opened(1))
        fail(*items_of([record(closed(2), 1)]), now=LATER, reason="ValueError: 100% wrong")
        failed_events(opened(1), consumer="notify")
        fail(*items_of([record(closed(3), 2)]), now=LATER)
        DeadLetter.objects.filter(identity=closed(3).id).update(closed_at=LATER, outcome="discarded")

    @pytest.mark.parametrize(
        ("choice", "found"),
        [
            (Choice(), ["billing opened 1", "notify opened 1", "billing closed 2"]),
            (Choice(consumer="notify"), ["notify opened 1"]),
            (Choice(reason="CONFLICT"), ["billing opened 1", "notify opened 1"]),
            (Choice(reason="100%"), ["billing closed 2"]),
            (Choice(subject=str(uuid(2))), ["billing closed 2"]),
            (Choice(state="discarded"), ["billing closed 3"]),
            (Choice(state="replayed"), []),
            (Choice(state="all", consumer="billing"), ["billing opened 1", "billing closed 2", "billing closed 3"]),
            (Choice(fingerprint="0123456789abcdef"), []),
        ],
    )
    def test_it_finds_what_was_asked_for_oldest_first(self, choice: Choice, found: list[str]) -> None:
        letters = find(choice=choice, limit=100)
        numbers = {str(uuid(number)): number for number in (1, 2, 3)}
        words = [f"{each.consumer} {each.event_type.split('.')[2]} {numbers[each.subject]}" for each in letters]
        assert sorted(words) == sorted(found)
        assert [each.failed_at for each in letters] == sorted(each.failed_at for each in letters)
        assert count(choice=choice) == len(found)

    def test_those_that_failed_alike_have_one_fingerprint(self) -> None:
        letter = DeadLetter.objects.get(identity=closed(2).id)
        assert find(choice=Choice(fingerprint=letter.fingerprint), limit=9) == [letter]

    def test_no_more_than_the_limit(self) -> None:
        assert len(find(choice=Choice(), limit=2)) == 2

    def test_only_what_this_process_serves(self, settings: Settings) -> None:
        settings.SERVICES = ["notify"]
        assert [each.consumer for each in find(choice=Choice(), limit=9)] == ["notify"]


def test_two_replays_at_once_apply_an_event_once(committed_effects_table: None, doors: Doors) -> None:
    """The second waits for the first's lock of the row, and finds it closed."""
    [letter] = failed_events(opened(1))
    seen: list[tuple[str, str]] = []

    def second() -> None:
        seen.extend(replayed(letter))
        connection.close()

    other = Thread(target=second)

    def fails(ids: object) -> None:
        other.start()
        wait_until(lambda: rows("default", "SELECT FROM pg_locks WHERE NOT granted") != [], 30, "the second replay waits")

    doors.fails = fails
    assert replayed(letter) == [(opened(1).id, "replayed")]
    other.join()
    assert seen == [(opened(1).id, "gone")]
    assert effects() == [opened(1).id]
