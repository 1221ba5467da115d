"""Mending from the desk: a page before, a dry run, parts, and a note of every deed."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from billing.models import Invoice
from consumers.console.tests.people import operator
from consumers.console.tests.test_desk import failed
from consumers.models import DeadLetter
from consumers.ops import mending
from consumers.replay import MOST_ATTEMPTS
from kafka_shop.ids import uuid7

pytestmark = pytest.mark.django_db
REPLAY, DISCARD = "/admin/console/dead-letters/replay/", "/admin/console/dead-letters/discard/"
ALL = {"view_deadletter", "replay_deadletter", "discard_deadletter"}


@pytest.fixture
def staff() -> Client:
    return operator("eve", *ALL)


def post(client: Client, path: str, status: int = 200, **fields: Any) -> Any:
    """What a form sends; returns what the page shows."""
    pace = {"per_second": 1000} if path == REPLAY else {}
    answer = client.post(path, pace | fields)
    assert answer.status_code == status, answer.content
    return answer.context


def counts(shown: Any) -> dict[str, int]:
    return dict(shown["counts"])


def again(shown: Any) -> dict[str, Any]:
    """What the next click on the page's form sends."""
    form = shown["form"]
    values = {field.name: field.value() for field in form}
    return {name: value for name, value in values.items() if value not in {None, "", False}}


def test_the_page_before_does_nothing_and_says_how_many(staff: Client) -> None:
    letter = failed()
    for path in (REPLAY, DISCARD):
        shown = staff.get(path, {"consumer": "billing", "fingerprint": letter.fingerprint})
        assert "1 open dead letter?" in shown.content.decode()
        assert staff.get(path, {"id": str(letter.pk)}).status_code == 200
    letter.refresh_from_db()
    assert (letter.state, letter.attempts, LogEntry.objects.count()) == ("open", 1, 0)


def test_one_is_replayed_and_its_order_goes_on(staff: Client) -> None:
    letter = failed()
    shown = post(staff, REPLAY, id=letter.pk, why="the price was mended")
    assert counts(shown) == {"replayed": 1} and shown["finished"]
    assert Invoice.objects.get(order_id=letter.subject).status == "paid"


def test_a_dry_run_says_what_would_happen_and_changes_nothing(staff: Client) -> None:
    failed()
    DeadLetter.objects.filter(pk=failed("dave").pk).update(value=b"{}")
    shown = post(staff, REPLAY, consumer="billing", dry_run="yes")
    assert (counts(shown), shown["tried"], shown["finished"]) == ({"replayed": 1, "failed": 1}, True, False)
    assert (Invoice.objects.count(), LogEntry.objects.count(), DeadLetter.objects.filter(attempts=1, closed_at=None).count()) == (0, 0, 2)
    assert counts(post(staff, REPLAY, **again(shown))) == {"replayed": 1, "failed": 1}  # and from there it is done


def test_a_group_is_replayed_and_no_other(staff: Client) -> None:
    one, other = failed(), failed("frank", reason="KeyError in nowhere")
    failed("dave")
    assert counts(post(staff, REPLAY, consumer="billing", fingerprint=one.fingerprint)) == {"replayed": 2}
    assert list(DeadLetter.objects.filter(closed_at=None)) == [other]


def test_thousands_are_done_in_parts_each_of_which_leads_to_the_next(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "SECONDS", 0)
    letters = [failed(name) for name in ("carol", "dave", "frank")]
    DeadLetter.objects.filter(pk=letters[0].pk).update(value=b"{}")

    first = post(staff, REPLAY, consumer="billing", why="mended")
    second = post(staff, REPLAY, **again(first))
    third = post(staff, REPLAY, **again(second))

    assert [counts(each) for each in (first, second, third)] == [{"failed": 1}, {"replayed": 1}, {"replayed": 1}]
    assert [(each["more"], each["left"], each["total"]) for each in (first, second, third)] == [(True, 2, 3), (True, 1, 3), (False, 0, 3)]
    assert DeadLetter.objects.get(closed_at=None).attempts == 2  # what failed is not tried again and again


def test_what_was_tried_too_often_is_left_out_unless_it_is_asked_for(staff: Client) -> None:
    failed()
    DeadLetter.objects.update(attempts=MOST_ATTEMPTS)
    assert staff.get(REPLAY, {"consumer": "billing"}).context["worn"] == 1
    assert counts(post(staff, REPLAY, consumer="billing")) == {}
    assert counts(post(staff, REPLAY, consumer="billing", exhausted="on")) == {"replayed": 1}


def test_discarding_needs_a_reason_and_keeps_it(staff: Client) -> None:
    letter = failed()
    for why in ("", " "):
        assert post(staff, DISCARD, status=400, id=letter.pk, why=why)["form"].errors.keys() == {"why"}
    assert DeadLetter.objects.get().state == "open"
    assert counts(post(staff, DISCARD, id=letter.pk, why="of a test")) == {"discarded": 1}
    letter.refresh_from_db()
    assert (letter.state, letter.closed_because) == ("discarded", "of a test")
    assert counts(post(staff, DISCARD, id=letter.pk, why="again")) == {"gone": 1}
    assert counts(post(staff, REPLAY, id=letter.pk)) == {"gone": 1}


def test_a_group_is_discarded_and_no_other(staff: Client) -> None:
    failed()
    other = failed("dave", reason="KeyError in nowhere")
    assert counts(post(staff, DISCARD, consumer="billing", reason="another amount", why="x")) == {"discarded": 1}
    assert list(DeadLetter.objects.filter(closed_at=None)) == [other]


def test_every_deed_is_in_the_admins_log_with_who_and_why(staff: Client) -> None:
    one, other = failed(), failed("dave")
    post(staff, REPLAY, id=one.pk, why="the price was mended")
    post(staff, DISCARD, id=other.pk, why="of a test")
    noted = LogEntry.objects.order_by("pk").values_list("user__username", "object_id", "change_message")
    assert list(noted) == [
        ("eve", str(one.pk), "Replay: replayed, because the price was mended."),
        ("eve", str(other.pk), "Discarded, because of a test."),
    ]


@pytest.mark.parametrize("path", [REPLAY, DISCARD])
@pytest.mark.parametrize(
    "fields", [{}, {"fingerprint": "f"}, {"consumer": "bill"}, {"id": "x"}, {"consumer": "billing", "subject": "x" * 501}]
)
def test_nothing_is_mended_when_it_is_not_said_what(staff: Client, path: str, fields: dict[str, str]) -> None:
    failed()
    assert staff.get(path, fields).status_code == 400
    post(staff, path, status=400, why="x", **fields)
    assert DeadLetter.objects.get().state == "open"


@pytest.mark.parametrize("per_second", ["0", "1001", "x", ""])
def test_a_pace_that_is_none_does_nothing(staff: Client, per_second: str) -> None:
    failed()
    post(staff, REPLAY, status=400, consumer="billing", per_second=per_second)
    assert DeadLetter.objects.get().attempts == 1


def test_other_services_letters_are_404(staff: Client, settings: Settings) -> None:
    letter = failed()
    settings.SERVICES = ["notify"]
    for path in (REPLAY, DISCARD):
        for id in (letter.pk, uuid7()):
            assert staff.get(path, {"id": str(id)}).status_code == 404
            post(staff, path, status=404, id=id, why="x")
    assert counts(post(staff, REPLAY, consumer="billing")) == {}
    assert DeadLetter.objects.get().state == "open"


@pytest.mark.parametrize("path", [REPLAY, DISCARD])
@pytest.mark.parametrize("permission", [*sorted(ALL), "change_deadletter", "delete_deadletter"])
def test_each_deed_needs_its_own_permission(path: str, permission: str) -> None:
    letter = failed()
    expected = 200 if permission == f"{path.split('/')[-2]}_deadletter" else 403
    client = operator("frank", permission)
    assert client.get(path, {"id": str(letter.pk)}).status_code == expected
    post(client, path, status=expected, id=letter.pk, why="x")
    assert (DeadLetter.objects.get().state != "open") == (expected == 200)


def test_without_the_token_of_the_form_nothing_is_done(staff: Client) -> None:
    letter = failed()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(DISCARD, {"id": letter.pk, "why": "x"}).status_code == 403
    assert DeadLetter.objects.get().state == "open"


@pytest.mark.parametrize("path", [REPLAY, DISCARD])
def test_a_database_that_does_not_answer_is_told_and_nothing_is_done(staff: Client, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def away(**_: object) -> None:
        raise OperationalError("away")

    failed()
    monkeypatch.setattr(mending, "find", away)
    answer = staff.post(path, {"consumer": "billing", "per_second": 100, "why": "x"})
    assert answer.status_code == 503 and answer["Retry-After"]
    assert DeadLetter.objects.get().attempts == 1


def test_the_pages_are_named(staff: Client) -> None:
    assert (reverse("admin:replay_dead_letters"), reverse("admin:discard_dead_letters")) == (REPLAY, DISCARD)
