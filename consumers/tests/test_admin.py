"""Staff reads the event tables in the admin, and writes none of them."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from consumers.models import DeadLetter, Position
from kafka_shop.messaging.models import OutboxRow, PublishedLog
from kafka_shop.users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def rows() -> dict[str, object]:
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
def test_every_event_table_is_shown_and_cannot_be_written(path: str, rows: dict[str, object], operator: Client) -> None:
    row = rows[path]
    assert operator.get(f"/admin/{path}/").status_code == 200
    assert operator.get(f"/admin/{path}/{row.pk}/change/").status_code == 200  # type: ignore[attr-defined]  # each is a model
    assert operator.get(f"/admin/{path}/add/").status_code == 403
    assert operator.post(f"/admin/{path}/{row.pk}/delete/", {"post": "yes"}).status_code == 403  # type: ignore[attr-defined]  # the same


def test_a_message_is_shown_as_far_as_it_is_text(rows: dict[str, object], operator: Client) -> None:
    letter = DeadLetter.objects.get()
    page = operator.get(f"/admin/consumers/deadletter/{letter.pk}/change/").content.decode()
    assert json.dumps("amount")[1:-1] in page
    assert "\ufffd" in page
