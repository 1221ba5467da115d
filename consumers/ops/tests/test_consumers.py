"""ops/consumers/{name}/: pausing and resuming over HTTP."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from consumers.models import Pause
from consumers.ops.tests.moving import placed
from kafka_shop.api.tests.people import caller, refused, user
from kafka_shop.messaging.models import OutboxRow

pytestmark = pytest.mark.django_db
CONSUMERS = "/api/v1/ops/consumers/"


def operator(name: str, permission: str) -> APIClient:
    eve = user(name, staff=True)
    eve.user_permissions.set(Permission.objects.filter(codename=permission))
    return caller(eve)


@pytest.fixture
def staff() -> APIClient:
    return operator("eve", "pause_consumer")


def post(staff: APIClient, what: str) -> dict[str, Any]:
    response = staff.post(f"{CONSUMERS}billing/{what}/")
    assert response.status_code == 200, response.content
    return dict(response.json())


def test_a_pause_is_stored_until_the_consumer_is_resumed(staff: APIClient) -> None:
    first = post(staff, "pause")
    assert (first["name"], first["paused"], first["by"]) == ("billing", True, "eve")
    assert post(operator("frank", "pause_consumer"), "pause") == first
    assert Pause.objects.count() == 1

    for _ in range(2):
        assert post(staff, "resume") == {"name": "billing", "paused": False, "since": None, "by": ""}
    assert not Pause.objects.exists()


def test_a_pause_is_in_the_admins_log(staff: APIClient) -> None:
    for what in ("pause", "resume", "resume"):
        post(staff, what)
    noted = LogEntry.objects.order_by("pk").values_list("user__username", "object_id", "change_message")
    assert list(noted) == [("eve", "billing", "Paused."), ("eve", "billing", "Resumed.")]


def test_a_paused_service_answers_its_siblings_with_503_and_when_to_come_again(staff: APIClient, settings: Settings) -> None:
    settings.SERVICE_TOKEN = "between-services"
    post(staff, "pause")
    headers = {"Authorization": "Bearer between-services"}
    answer = Client().post("/api/v1/billing/events/", b"[]", content_type="application/cloudevents-batch+json", headers=headers)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"billing is paused" in answer.content


def test_an_order_that_waits_for_a_paused_consumer_says_so(staff: APIClient) -> None:
    order = placed(user("carol"))
    OutboxRow.objects.all().delete()
    post(staff, "pause")
    assert staff.get(f"/api/v1/ops/orders/{order.pk}/trace/").json()["waiting_for"].startswith("billing, which is paused")


@pytest.mark.parametrize("name", ["bill", "notify"])
def test_a_consumer_that_there_is_not_here_is_404(staff: APIClient, settings: Settings, name: str) -> None:
    settings.SERVICES = ["orders", "billing"]
    for what in ("pause", "resume"):
        refused(staff.post(f"{CONSUMERS}{name}/{what}/"), 404)
    assert not Pause.objects.exists()


def test_only_staff_with_the_permission_pauses() -> None:
    for client, status in ((caller(), 401), (caller(user("dave")), 403), (operator("eve", "change_pause"), 403)):
        for what in ("pause", "resume"):
            refused(client.post(f"{CONSUMERS}billing/{what}/"), status)
    assert not Pause.objects.exists()
