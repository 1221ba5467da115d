"""The desk of dead letters: groups, filters, and one message, decoded and raw."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from consumers.console import desk
from consumers.console.tests.people import operator
from consumers.models import DeadLetter
from consumers.ops import figures
from consumers.ops.tests.moving import apply, moved, placed, published
from kafka_shop.api.tests.people import user
from kafka_shop.databases import rows, run
from kafka_shop.ids import uuid7
from kafka_shop.messaging.kafka import Record

pytestmark = pytest.mark.django_db
DESK = "/admin/console/dead-letters/"
REASON = "Conflict: another amount"


@pytest.fixture
def staff() -> Client:
    return operator("eve", "view_deadletter")


def failed(name: str = "carol", reason: str = REASON) -> DeadLetter:
    """An order that billing could not take."""
    order = placed(user(name))
    apply("billing", published("order-topic"), refusal=reason)
    return DeadLetter.objects.get(subject=str(order.pk))


def page(client: Client, path: str = DESK, status: int = 200, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == status
    return answer.content.decode()


def link(letter: DeadLetter) -> str:
    return reverse("admin:dead_letter", args=[letter.pk])


def test_what_failed_alike_is_one_group_with_its_number(staff: Client) -> None:
    letters = [failed(name, f"Conflict: order {uuid7()} is gone") for name in ("carol", "dave")]
    shown = page(staff)
    assert shown.count("Conflict: order … is gone") == 1  # the group; each letter has its whole reason
    assert f"fingerprint={letters[0].fingerprint}" in shown
    assert all(link(letter) in shown for letter in letters)


@pytest.mark.parametrize("filter", ["consumer", "fingerprint", "reason", "subject"])
def test_a_filter_shows_its_letters_and_no_others(staff: Client, filter: str) -> None:
    one, other = failed(), failed("dave", reason="KeyError in nowhere")
    DeadLetter.objects.filter(pk=other.pk).update(consumer="notify")
    shown = staff.get(DESK, {filter: str(getattr(one, filter))}).content.decode()
    assert link(one) in shown and link(other) not in shown


def test_closed_ones_are_shown_when_they_are_asked_for(staff: Client) -> None:
    letter = failed()
    DeadLetter.objects.update(closed_at=timezone.now(), outcome="discarded", closed_because="a test")
    assert link(letter) not in page(staff)
    assert link(letter) in page(staff, state="discarded")
    assert "because a test" in page(staff, link(letter))


def test_pages_lead_to_the_older_ones(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "ON_A_PAGE", 2)
    first, second, third = (failed(name) for name in ("carol", "dave", "frank"))
    shown = page(staff)
    assert link(third) in shown and link(second) in shown and link(first) not in shown
    assert f"before={second.pk}" in shown
    older = page(staff, before=str(second.pk))
    assert link(first) in older and link(second) not in older and "before=" not in older


@pytest.mark.parametrize(
    "query", [{"consumer": "bill"}, {"state": "closed"}, {"before": "x"}, {"reason": "x" * 501}, {"fingerprint": "\0"}]
)
def test_a_filter_that_means_nothing_is_400_in_words(staff: Client, query: dict[str, str]) -> None:
    assert 'role="alert"' in page(staff, status=400, **query)


def test_one_is_shown_decoded_with_where_it_lies_why_it_failed_and_what_became_of_its_order(staff: Client) -> None:
    letter = failed()
    shown = page(staff, link(letter))
    for words in (
        REASON,
        "order-topic, partition 1, offset 0",
        "ce_type",
        "shop.order.placed.v1",
        "&quot;order_id&quot;: &quot;",
        "accepted",
    ):
        assert words in shown, words
    assert reverse("admin:order_trace", args=[letter.subject]) in shown
    assert "00000  7b" in shown  # the bytes


def test_what_is_no_text_and_names_no_order_is_shown_all_the_same(staff: Client) -> None:
    apply("billing", [Record("order-topic", 1, 0, 0, b"\xff", [("ce_x", b"\xff")], b"\xff<script>")], refusal="unreadable")
    shown = page(staff, link(DeadLetter.objects.get()))
    assert "It is no JSON" in shown and "\\xff&lt;script&gt;" in shown and "<script>\n" not in shown
    assert "The message names no order." in shown


def test_the_message_can_be_downloaded_as_it_came(staff: Client) -> None:
    letter = failed()
    answer = staff.get(f"{link(letter)}raw/")
    assert answer.content == bytes(letter.value or b"")
    assert answer["Content-Type"] == "application/octet-stream" and "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize("end", ["", "raw/"])
def test_what_is_not_there_or_not_served_here_is_404_in_words(staff: Client, settings: Settings, end: str) -> None:
    letter = failed()
    settings.SERVICES = ["notify"]
    for id in (letter.pk, uuid7()):
        assert f'There is no dead letter <span class="id">{id}</span>' in page(staff, f"{DESK}{id}/{end}", status=404)
    assert staff.get(f"{DESK}x/").status_code == 404
    assert link(letter) not in page(staff)


def test_a_database_that_does_not_answer_is_named(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(desk, "chosen", away)
    monkeypatch.setattr(figures, "open_dead_letters", away)
    assert "The database default does not answer" in page(staff)


@pytest.mark.parametrize(
    "query", [{}, {"consumer": "billing"}, {"consumer": "billing", "fingerprint": "f"}, {"subject": "x", "state": "all"}, {"state": "all"}]
)
def test_every_list_goes_along_an_index(staff: Client, query: dict[str, str]) -> None:
    failed()
    with CaptureQueriesContext(connection) as asked:
        assert staff.get(DESK, query).status_code == 200
    looks = [each["sql"] for each in asked if each["sql"].startswith("SELECT") and "consumers_deadletter" in each["sql"]]
    assert looks
    run("default", "SET LOCAL enable_seqscan = off")
    for sql in looks:
        plan = "\n".join(line for (line,) in rows("default", f"EXPLAIN {sql}"))
        assert "Seq Scan" not in plan, plan


def test_first_and_last_time_of_a_group_are_told(staff: Client) -> None:
    letter = failed()
    DeadLetter.objects.filter(pk=letter.pk).update(failed_at=timezone.now() - timedelta(hours=3))
    failed("dave")
    assert "3 h ago" in page(staff)


# --- who ---

PATHS = (DESK, DESK + "{id}/", DESK + "{id}/raw/")


@pytest.mark.parametrize("path", PATHS)
def test_looking_needs_the_permission(path: str) -> None:
    path = path.format(id=failed().pk)
    assert operator("frank", "view_deadletter").get(path).status_code == 200
    assert operator("grace", "change_deadletter", "replay_deadletter", "discard_deadletter").get(path).status_code == 403
    for client in (Client(), customer("dave")):
        answer = client.get(path)
        assert answer.status_code == 302 and "/admin/login/" in answer["Location"]


def customer(name: str) -> Client:
    client = Client()
    client.force_login(user(name))
    return client


@pytest.mark.parametrize(("permission", "words"), [("replay_deadletter", "Replay"), ("discard_deadletter", "Discard")])
def test_a_way_to_mend_is_shown_to_those_who_may_go_it(permission: str, words: str) -> None:
    letter = failed()
    address = reverse(f"admin:{words.lower()}_dead_letters")
    for path in (DESK, f"{DESK}?consumer=billing", link(letter)):
        assert address in operator(f"may {path}", "view_deadletter", permission).get(path).content.decode()
        assert address not in operator(f"may not {path}", "view_deadletter").get(path).content.decode()


def test_a_closed_one_is_not_to_be_mended() -> None:
    letter = failed()
    DeadLetter.objects.update(closed_at=timezone.now(), outcome="replayed")
    shown = page(operator("eve", "view_deadletter", "replay_deadletter", "discard_deadletter"), link(letter))
    assert reverse("admin:replay_dead_letters") not in shown and reverse("admin:discard_dead_letters") not in shown


def test_looking_moves_nothing(staff: Client) -> None:
    letter = failed()
    page(staff, link(letter))
    moved("billing")
    assert list(DeadLetter.objects.values_list("attempts", "closed_at")) == [(1, None)]
