"""ops/dead-letters/: looked at, replayed and discarded over HTTP."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from billing.models import Invoice
from consumers.models import DeadLetter
from consumers.ops import mending, merged
from consumers.ops.tests.moving import apply, moved, placed, published
from consumers.replay import MOST_ATTEMPTS
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.ids import uuid7
from kafka_shop.messaging.kafka import Record

pytestmark = pytest.mark.django_db
LETTERS = "/api/v1/ops/dead-letters/"
REASON = "Conflict: another amount"


@pytest.fixture
def staff() -> APIClient:
    eve = user("eve", staff=True)
    eve.user_permissions.set(Permission.objects.filter(content_type__app_label="consumers"))
    return caller(eve)


def failed(name: str = "carol", reason: str = REASON) -> DeadLetter:
    """An order that billing could not take."""
    order = placed(user(name))
    apply("billing", published("order-topic"), refusal=reason)
    return DeadLetter.objects.get(subject=str(order.pk))


def post(staff: APIClient, path: str, **body: Any) -> dict[str, Any]:
    response = staff.post(LETTERS + path, body)
    assert response.status_code == 200, response.content
    return dict(response.json())


def ids(staff: APIClient, **query: str) -> list[str]:
    return [each["id"] for each in staff.get(LETTERS, query).json()["results"]]


# --- looking ---


def test_the_open_ones_are_listed_newest_first_without_what_they_carry(staff: APIClient) -> None:
    first, second, third = failed(), failed("dave"), failed("frank")
    DeadLetter.objects.filter(pk=third.pk).update(outcome="discarded", closed_at=timezone.now())
    assert ids(staff) == [str(second.pk), str(first.pk)]
    assert not {"decoded", "text", "raw", "headers", "key"} & staff.get(LETTERS).json()["results"][0].keys()


def test_filters_choose(staff: APIClient) -> None:
    one, other = failed(), failed("dave", reason="KeyError in nowhere")
    DeadLetter.objects.filter(pk=other.pk).update(consumer="notify")
    for query in ({"consumer": "billing"}, {"reason": "ANOTHER"}, {"fingerprint": one.fingerprint}, {"subject": one.subject}):
        assert ids(staff, **query) == [str(one.pk)], query
    assert ids(staff, state="discarded") == []
    assert len(ids(staff, state="all")) == 2


@pytest.mark.parametrize("query", [{"consumer": "bill"}, {"state": "closed"}, {"reason": ""}, {"reason": "x" * 501}, {"surprise": "1"}])
def test_a_filter_that_means_nothing_is_400(staff: APIClient, query: dict[str, str]) -> None:
    refused(staff.get(LETTERS, query), 400, f"/{next(iter(query))}")


def test_pages_are_turned_by_a_cursor(staff: APIClient) -> None:
    found = [str(failed(name).pk) for name in ("carol", "dave", "frank")][::-1]
    seen, address = [], f"{LETTERS}?page_size=2"
    while address:
        page = staff.get(address).json()
        seen += [each["id"] for each in page["results"]]
        back, address = page["previous"], page["next"]
    assert seen == found
    assert [each["id"] for each in staff.get(back).json()["results"]] == found[:2]


def test_lists_of_several_databases_are_one() -> None:
    found = [failed(name) for name in ("carol", "dave", "frank")]
    parts = [DeadLetter.objects.filter(pk__in=[found[0].pk, found[2].pk]), DeadLetter.objects.filter(pk=found[1].pk)]
    one = merged.Merged(parts).order_by("-id")
    assert one[0:2] == [found[2], found[1]]
    assert one.filter(id__lt=found[2].pk)[0:5] == [found[1], found[0]]


def test_one_is_shown_decoded_and_as_it_came(staff: APIClient) -> None:
    letter = failed()
    told = staff.get(f"{LETTERS}{letter.pk}/").json()
    assert told["decoded"]["order_id"] == letter.subject
    assert base64.b64decode(told["raw"]) == bytes(letter.value or b"")
    assert (told["topic"], told["partition"], told["reason"], told["state"]) == ("order-topic", 1, REASON, "open")
    assert "ce_type" in [each["name"] for each in told["headers"]]


def test_what_is_no_text_is_shown_all_the_same(staff: APIClient) -> None:
    apply("billing", [Record("order-topic", 1, 0, 0, b"\xff", [("ce_x", b"\xff")], b"\xff{")], refusal="unreadable")
    told = staff.get(f"{LETTERS}{DeadLetter.objects.get().pk}/").json()
    assert (told["decoded"], told["text"], told["raw"], told["key"]) == (None, "\\xff{", "/3s=", "\\xff")


def test_what_is_not_there_or_not_served_here_is_404(staff: APIClient, settings: Settings) -> None:
    letter = failed()
    settings.SERVICES = ["notify"]
    for id in (uuid7(), "x", letter.pk):
        refused(staff.get(f"{LETTERS}{id}/"), 404)
        refused(staff.post(f"{LETTERS}{id}/replay/"), 404)
        refused(staff.post(f"{LETTERS}{id}/discard/", {"reason": "x"}), 404)


# --- mending ---


def test_a_replay_applies_the_event_and_closes_the_letter(staff: APIClient) -> None:
    letter = failed()
    told = post(staff, f"{letter.pk}/replay/")
    assert told == {
        "dry_run": False,
        "results": [{"id": str(letter.pk), "state": "replayed", "reason": ""}],
        "counts": {"replayed": 1},
        "left": 0,
        "more": False,
        "after": None,
    }
    assert Invoice.objects.get(order_id=letter.subject).status == "paid"
    moved("orders", "notify")
    assert staff.get(f"/api/v1/ops/orders/{letter.subject}/trace/").json()["status"] == "paid"


def test_a_dry_run_changes_nothing(staff: APIClient) -> None:
    letter = failed()
    assert post(staff, f"{letter.pk}/replay/", dry_run=True)["counts"] == {"replayed": 1}
    assert post(staff, "replay/", consumer="billing", dry_run=True) == post(staff, "replay/", consumer="billing", dry_run=True)
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, Invoice.objects.count(), LogEntry.objects.count()) == ("open", 1, 0, 0)


def test_what_fails_again_says_why_and_stays_open(staff: APIClient) -> None:
    letter = failed()
    DeadLetter.objects.update(value=b"{}")
    told = post(staff, f"{letter.pk}/replay/")
    assert told["results"][0]["state"] == "failed" and told["results"][0]["reason"].startswith("unreadable")
    assert ids(staff) == [str(letter.pk)]


def test_many_are_replayed_by_filter_up_to_the_limit_the_oldest_first(staff: APIClient) -> None:
    first, second, other = failed(), failed("dave"), failed("frank", reason="KeyError in nowhere")
    told = post(staff, "replay/", consumer="billing", fingerprint=first.fingerprint, limit=1)
    assert ([each["id"] for each in told["results"]], told["left"]) == ([str(first.pk)], 1)
    assert set(ids(staff)) == {str(second.pk), str(other.pk)}


def test_a_loop_that_replays_all_comes_to_an_end(staff: APIClient) -> None:
    letter = failed()
    DeadLetter.objects.update(value=b"{}", attempts=MOST_ATTEMPTS - 2)
    turns = 0
    while post(staff, "replay/", consumer="billing")["left"]:
        turns += 1
        assert turns < 10
    assert post(staff, "replay/", consumer="billing")["results"] == []
    assert post(staff, f"{letter.pk}/replay/")["counts"] == {"failed": 1}  # by its id it may be tried again


def test_a_letter_that_was_tried_too_often_holds_up_those_behind_it_without_another_try(staff: APIClient) -> None:
    first = failed()
    later = failed("dave")
    DeadLetter.objects.filter(pk=first.pk).update(attempts=MOST_ATTEMPTS)
    DeadLetter.objects.filter(pk=later.pk).update(key=first.key)

    told = post(staff, "replay/", consumer="billing")

    assert told["counts"] == {"left out": 1, "held back": 1}
    assert not told["more"]  # a loop that goes on while there is more ends
    first.refresh_from_db()
    assert first.attempts == MOST_ATTEMPTS
    assert post(staff, "replay/", consumer="billing", exhausted=True)["counts"] == {"replayed": 2}


def test_a_run_in_parts_passes_each_letter_once(staff: APIClient) -> None:
    broken = failed()
    DeadLetter.objects.update(value=b"{}")
    others = [failed(name) for name in ("dave", "frank", "grace")]

    seen, after = [], None
    for more in (True, True, True, True, False):
        told = post(staff, "replay/", consumer="billing", limit=1, after=after)
        seen += [(each["id"], each["state"]) for each in told["results"]]
        assert told["more"] == more
        after = told["after"]

    assert seen == [(str(broken.pk), "failed"), *((str(each.pk), "replayed") for each in others)]
    broken.refresh_from_db()
    assert broken.attempts == 2


def test_a_request_ends_after_a_time_and_says_where_to_go_on(staff: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "SECONDS", 0)
    first, second = failed(), failed("dave")
    told = post(staff, "replay/", consumer="billing")
    assert ([each["id"] for each in told["results"]], told["more"], told["after"]) == ([str(first.pk)], True, str(first.pk))
    monkeypatch.undo()
    told = post(staff, "replay/", consumer="billing", after=told["after"])
    assert ([each["id"] for each in told["results"]], told["more"], told["left"]) == ([str(second.pk)], False, 0)


def test_a_run_ends_however_many_are_held_back(staff: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "SECONDS", 0)
    letters = [failed(name) for name in ("carol", "dave", "frank")]
    DeadLetter.objects.update(key=letters[0].key)
    DeadLetter.objects.filter(pk=letters[0].pk).update(value=b"{}")

    seen, after, more = [], None, True
    while more:
        told = post(staff, "replay/", consumer="billing", after=after)
        seen += [(each["id"], each["state"]) for each in told["results"]]
        more, after = told["more"], told["after"]
        assert len(seen) < 10, "it goes on for ever"

    broken, *others = (str(each.pk) for each in letters)
    assert [each for each in seen if each[1] == "held back"] == [(other, "held back") for other in others]  # each is told once
    assert {each for each, _ in seen} == {broken, *others}
    assert {entry.change_message for entry in LogEntry.objects.all()} == {"Replay: failed."}  # nothing was done with the others


def test_a_discarded_letter_keeps_the_reason_and_stays_closed(staff: APIClient) -> None:
    letter = failed()
    told = post(staff, f"{letter.pk}/discard/", reason="a test")
    again = post(staff, f"{letter.pk}/discard/", reason="another")
    assert (told["state"], told["closed_because"]) == ("discarded", "a test")
    assert again == told
    assert post(staff, f"{letter.pk}/replay/")["counts"] == {"gone": 1}
    assert not Invoice.objects.exists()


def test_each_action_is_in_the_admins_log(staff: APIClient) -> None:
    one, other = failed(), failed("dave")
    post(staff, f"{one.pk}/replay/", why="the price was mended")
    post(staff, f"{other.pk}/discard/", reason="a test")
    noted = LogEntry.objects.order_by("pk").values_list("user__username", "object_id", "change_message")
    assert list(noted) == [
        ("eve", str(one.pk), "Replay: replayed, because the price was mended."),
        ("eve", str(other.pk), "Discarded, because a test."),
    ]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("replay/", {}, "/consumer"),
        ("replay/", {"consumer": "all"}, "/consumer"),
        ("replay/", {"consumer": "billing", "limit": 0}, "/limit"),
        ("replay/", {"consumer": "billing", "limit": 1001}, "/limit"),
        ("replay/", {"consumer": "billing", "dry_run": "true"}, "/dry_run"),
        ("replay/", {"consumer": "billing", "dry_run": 1}, "/dry_run"),
        ("replay/", {"consumer": "billing", "dry-run": True}, "/dry-run"),
        ("replay/", {"consumer": "billing", "per_second": 0}, "/per_second"),
        ("replay/", {"consumer": "billing", "after": "x"}, "/after"),
        ("replay/", {"consumer": "billing", "after": False}, "/after"),
        ("replay/", {"consumer": "billing", "after": str(uuid7())}, "/after"),
        ("{id}/discard/", {}, "/reason"),
        ("{id}/discard/", {"reason": ""}, "/reason"),
    ],
)
def test_a_body_that_means_nothing_does_nothing(staff: APIClient, path: str, body: dict[str, Any], pointer: str) -> None:
    letter = failed()
    refused(staff.post(LETTERS + path.format(id=letter.pk), body), 400, pointer)
    assert ids(staff) == [str(letter.pk)]


# --- who ---


@pytest.mark.parametrize(
    ("permission", "looks", "replays", "discards"),
    [
        ("view_deadletter", 200, 403, 403),
        ("replay_deadletter", 403, 200, 403),
        ("discard_deadletter", 403, 403, 200),
        ("change_deadletter", 403, 403, 403),
        (None, 403, 403, 403),
    ],
)
def test_staff_does_what_its_permission_says(permission: str | None, looks: int, replays: int, discards: int) -> None:
    letter, person = failed(), user("eve", staff=True)
    person.user_permissions.set(Permission.objects.filter(codename=permission))
    client = caller(person)
    assert [client.get(path).status_code for path in (LETTERS, f"{LETTERS}{letter.pk}/")] == [looks] * 2
    assert client.post(f"{LETTERS}replay/", {"consumer": "billing", "dry_run": True}).status_code == replays
    assert client.post(f"{LETTERS}{letter.pk}/replay/", {"dry_run": True}).status_code == replays
    assert client.post(f"{LETTERS}{letter.pk}/discard/", {"reason": "x"}).status_code == discards
    letter.refresh_from_db()
    assert letter.state == ("discarded" if discards == 200 else "open")


def test_a_superuser_needs_no_permission() -> None:
    letter, person = failed(), user("root", staff=True)
    person.is_superuser = True
    person.save()
    assert caller(person).post(f"{LETTERS}{letter.pk}/discard/", {"reason": "x"}).status_code == 200


def test_a_customer_with_the_permission_is_no_staff() -> None:
    carol = user("carol")
    carol.user_permissions.set(Permission.objects.filter(content_type__app_label="consumers"))
    refused(caller(carol).get(LETTERS), 403)
    refused(caller().get(LETTERS), 401)


def test_older_ones_of_the_same_customer_go_first(staff: APIClient) -> None:
    first = failed()
    key, later = bytes(first.key or b""), failed("dave")
    DeadLetter.objects.filter(pk=later.pk).update(key=key, failed_at=first.failed_at + timedelta(seconds=1))
    assert [each["id"] for each in post(staff, f"{later.pk}/replay/")["results"]] == [str(first.pk), str(later.pk)]
