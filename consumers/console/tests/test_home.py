"""The home and its buttons, without a browser: tests/browser has the rest."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from pytest_django import Settings

from consumers.console import home
from consumers.models import DeadLetter, Pause, Position
from consumers.ops import figures, flow
from consumers.ops.brokers import Logs
from consumers.ops.minutes import Minutes
from consumers.ops.tests.moving import moved, placed
from kafka_shop.api.tests.people import user

pytestmark = pytest.mark.django_db
HOME, LIVE, PAUSE = "/admin/", "/admin/console/live/", "/admin/console/consumers/billing/pause/"
RESUME = PAUSE.replace("pause", "resume")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Nothing is kept from test to test, and nobody waits for a broker."""
    settings.TRANSPORT = "http"
    monkeypatch.setattr(home, "flow", flow.Kept(lambda: flow.gather(Logs(), Minutes(), timezone.now())))
    monkeypatch.setattr(flow, "KEPT_SECONDS", 0)


def staff(*permissions: str, **options: Any) -> Client:
    eve = user("eve", staff=True)
    eve.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(**options)
    client.force_login(eve)
    return client


@pytest.fixture
def eve() -> Iterator[Client]:
    yield staff("pause_consumer")


def page(client: Client, path: str = HOME) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_home_shows_the_way_of_an_order(eve: Client) -> None:
    order = placed(user("carol"))
    moved("billing", "orders", "notify")
    Position.objects.update(beat_at=timezone.now())

    for path in (HOME, LIVE):
        seen = page(eve, path)
        assert all(f'id="stop-{name}"' in seen for name in ("billing", "orders", "notify"))
        assert "Everything flows" in seen
        assert str(order.pk) in seen
        assert "letter.paid" in seen and "Open dead letters" in seen


def test_open_dead_letters_lead_to_their_group(eve: Client) -> None:
    DeadLetter.objects.create(consumer="billing", identity="x", reason="<broken>", fingerprint="f&g", failed_at=timezone.now())
    seen = page(eve)
    assert "1 open dead letter" in seen
    assert "consumer=billing&amp;fingerprint=f%26g" in seen and "&lt;broken&gt;" in seen


def test_a_web_of_one_service_shows_its_part_and_says_so(eve: Client, settings: Settings) -> None:
    settings.SERVICES = ["billing"]
    seen = page(eve)
    assert "This web serves billing only" in seen and "For orders and notify, look at the console of the web that serves them" in seen
    assert '<strong>orders</strong><span class="quiet">elsewhere</span>' in seen
    assert 'id="stop-billing"' in seen and 'id="stop-notify"' not in seen
    assert "Letters are written elsewhere" in seen


def test_a_database_that_is_away_is_told(eve: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise OperationalError("away")

    for module in (figures, flow):
        monkeypatch.setattr(module, "rows", away)
    seen = page(eve)
    assert "Database default is away" in seen and "their database is away" in seen


def test_a_broker_that_is_away_is_told(eve: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TRANSPORT = "kafka"
    monkeypatch.setattr(Logs, "ends", lambda self: None)
    assert "The broker is away" in page(eve)


def test_a_button_pauses_and_another_resumes(eve: Client) -> None:
    assert PAUSE in page(eve) and RESUME not in page(eve)

    assert eve.post(PAUSE)["Location"] == HOME
    seen = page(eve)
    assert "Billing is paused." in seen and "by eve" in seen and RESUME in seen and PAUSE not in seen
    assert Pause.objects.get().by == "eve"

    eve.post(RESUME)
    eve.post(RESUME)
    assert "Everything flows" in page(eve)
    assert list(LogEntry.objects.order_by("pk").values_list("object_id", "change_message")) == [
        ("billing", "Paused."),
        ("billing", "Resumed."),
    ]


def test_the_script_is_led_to_what_has_changed(eve: Client) -> None:
    assert eve.post(PAUSE, headers={"X-Live": "yes"})["Location"] == LIVE
    seen = page(eve, LIVE)
    assert "Billing is paused." in seen and "<html" not in seen


@pytest.mark.parametrize("permission", ["", "change_pause", "view_position"])
def test_without_the_permission_nobody_pauses(permission: str) -> None:
    client = staff(permission)
    assert PAUSE not in page(client)
    assert {client.post(path).status_code for path in (PAUSE, RESUME)} == {403}
    assert not Pause.objects.exists()


def test_only_staff_see_the_home() -> None:
    dave = Client()
    dave.force_login(user("dave"))
    for client in (Client(), dave):
        for path in (HOME, LIVE):
            assert client.get(path)["Location"].startswith("/admin/login/")
        assert client.post(PAUSE).status_code == 302
    assert not Pause.objects.exists()


def test_a_form_of_another_site_does_nothing() -> None:
    assert staff("pause_consumer", enforce_csrf_checks=True).post(PAUSE).status_code == 403
    assert not Pause.objects.exists()


def test_a_consumer_that_there_is_not_here_is_404(eve: Client, settings: Settings) -> None:
    settings.SERVICES = ["orders"]
    assert eve.post(PAUSE).status_code == 404
    assert not Pause.objects.exists()


def test_looking_does_not_pause(eve: Client) -> None:
    assert eve.get(PAUSE).status_code == 405
    assert not Pause.objects.exists()


def test_outside_of_the_demo_there_is_nothing_to_try(eve: Client) -> None:
    assert "Try it" not in page(eve)
    assert eve.post("/admin/console/try/place/").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("admin:try_place")
