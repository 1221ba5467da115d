"""Staff reads the event tables in the admin, writes none of them, and mends what is dead."""

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from billing.models import Invoice
from consumers.models import DeadLetter, Position
from consumers.ops.tests.moving import apply, placed, published
from consumers.pausing import pause
from kafka_shop.api.tests.people import user
from kafka_shop.messaging.models import OutboxRow, PublishedLog
from kafka_shop.staff.tests.operators import act, because, browser, offers, rows, told
from kafka_shop.staff.tests.operators import operator as operator_with
from kafka_shop.users.models import User

LETTERS = "consumers/deadletter"
pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def made() -> dict[str, object]:
    """A row of each event table, by the path of its list."""
    now = timezone.now()
    return {
        "consumers/position": Position.objects.create(consumer="billing", topic="order-topic", partition=0, position=7),
        "consumers/deadletter": DeadLetter.objects.create(
            consumer="billing", identity="x", reason="broken", fingerprint="f", failed_at=now, value=b'{"amount":"\xff"}'
        ),
        "messaging/outboxrow": OutboxRow.objects.create(
            destination="order-topic", event_id="e", key="k", event=b'{"id":1}', created_at=now
        ),
        "messaging/publishedlog": PublishedLog.objects.create(destination="order-topic", identity="cluster/topic", seen_at=now),
    }


@pytest.mark.parametrize("path", ["consumers/position", "consumers/deadletter", "messaging/outboxrow", "messaging/publishedlog"])
def test_every_event_table_is_shown_and_cannot_be_written(path: str, made: dict[str, object], operator: Client) -> None:
    row = made[path]
    assert operator.get(f"/admin/{path}/").status_code == 200
    assert operator.get(f"/admin/{path}/{row.pk}/change/").status_code == 200  # type: ignore[attr-defined]  # each is a model
    assert operator.get(f"/admin/{path}/add/").status_code == 403
    assert operator.post(f"/admin/{path}/{row.pk}/delete/", {"post": "yes"}).status_code == 403  # type: ignore[attr-defined]  # the same


def test_a_pause_is_seen_at_its_positions_with_the_way_to_its_end(made: dict[str, object], operator: Client) -> None:
    assert "resume it on the home" not in operator.get("/admin/consumers/position/").content.decode()
    pause(name="billing", by="eve", now=timezone.now())
    for path in ("position", "pause"):
        assert "resume it on the home" in operator.get(f"/admin/consumers/{path}/").content.decode()


def test_a_message_is_shown_as_far_as_it_is_text(made: dict[str, object], operator: Client) -> None:
    letter = DeadLetter.objects.get()
    page = operator.get(f"/admin/consumers/deadletter/{letter.pk}/change/").content.decode()
    assert json.dumps("amount")[1:-1] in page
    assert "\ufffd" in page


# --- dead letters ---


@pytest.fixture
def dead() -> DeadLetter:
    """A message that no consumer can read."""
    return DeadLetter.objects.create(
        consumer="billing", identity="y", reason="no JSON", fingerprint="f", failed_at=timezone.now(), value=b"{"
    )


def state(letter: DeadLetter) -> str:
    letter.refresh_from_db()
    return letter.state


def test_a_dead_letter_is_discarded_with_a_reason_that_it_keeps(dead: DeadLetter) -> None:
    staff = operator_with("consumers.view_deadletter", "consumers.discard_deadletter")
    act(staff, LETTERS, "discard_selected", dead.pk)
    assert state(dead) == "open"
    answer = act(staff, LETTERS, "discard_selected", dead.pk, **because("a test"))
    assert (state(dead), dead.closed_because) == ("discarded", "a test")
    assert told(answer) == [f"{dead}: Discarded."]
    assert [(entry.user.username, entry.change_message) for entry in LogEntry.objects.all()] == [("eve", "Discarded, because a test.")]
    assert "not open any more" in told(act(staff, LETTERS, "discard_selected", dead.pk, **because("again")))[0]


def test_a_replay_that_fails_says_why_and_leaves_it_open(dead: DeadLetter) -> None:
    staff = operator_with("consumers.view_deadletter", "consumers.replay_deadletter")
    answer = staff.post(f"/admin/{LETTERS}/{dead.pk}/replay/", because("the producer is mended"), follow=True)
    assert "failed: " in told(answer)[0]
    assert (state(dead), dead.attempts) == ("open", 2)
    assert LogEntry.objects.get().change_message == "Replay: failed, because the producer is mended."


def test_a_dead_letter_is_replayed(db: None) -> None:
    order = placed(user("carol"))
    apply("billing", published("order-topic"), refusal="KeyError in nowhere")
    letter = DeadLetter.objects.get(subject=str(order.pk))
    answer = act(
        operator_with("consumers.view_deadletter", "consumers.replay_deadletter"), LETTERS, "replay_selected", letter.pk, **because("x")
    )
    assert told(answer) == [f"{letter}: Replayed."]
    assert state(letter) == "replayed"
    assert Invoice.objects.filter(order_id=order.pk).exists()


@pytest.mark.parametrize("action", ["replay", "discard"])
def test_each_action_needs_its_own_permission(action: str, dead: DeadLetter) -> None:
    other = {"replay": "discard", "discard": "replay"}[action]
    staff = operator_with("consumers.view_deadletter", "consumers.change_deadletter", f"consumers.{other}_deadletter")
    page = staff.get(f"/admin/{LETTERS}/")
    assert (offers(page, action.capitalize()), offers(page, other.capitalize())) == (False, True)
    act(staff, LETTERS, f"{action}_selected", dead.pk, **because("x"))
    assert staff.post(f"/admin/{LETTERS}/{dead.pk}/{action}/", because("x")).status_code == 403
    assert (state(dead), dead.attempts) == ("open", 1)


def test_dead_letters_are_listed_by_state_without_what_they_carry(dead: DeadLetter, operator: Client) -> None:
    [shown] = rows(operator, LETTERS, state="open")
    assert shown == dead
    assert {"key", "value", "headers"} <= shown.get_deferred_fields()
    assert rows(operator, LETTERS, state="discarded") == []


def test_a_process_shows_and_mends_only_what_its_consumers_left(dead: DeadLetter, operator: Client, settings: Settings) -> None:
    settings.SERVICES = ["notify"]
    assert rows(operator, LETTERS) == []
    assert operator.post(f"/admin/{LETTERS}/{dead.pk}/discard/", because("x")).status_code == 404
    act(operator, LETTERS, "discard_selected", dead.pk, **because("x"))
    assert state(dead) == "open"


# --- the sidebar ---


def test_the_sidebar_leads_to_what_a_person_may_see_and_to_the_console_and_the_api(operator: Client) -> None:
    staff, root = operator_with("orders.view_order").get("/admin/orders/order/"), operator.get("/admin/orders/order/")
    for path in ("/admin/", "/admin/orders/order/", "/api/v1/", "/docs/", "/docs/events/"):
        assert f'href="{path}"' in staff.content.decode(), path
    assert 'href="/admin/billing/invoice/"' not in staff.content.decode()
    assert 'href="/admin/billing/invoice/"' in root.content.decode()


def test_a_stranger_and_a_customer_are_sent_to_sign_in(db: None) -> None:
    for client in (Client(), browser(user("carol"))):
        for path in ("/admin/", "/admin/orders/order/"):
            assert client.get(path)["Location"].startswith("/admin/login/")
