"""What operators see and do, on services apart and over a broker."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from consumers.models import DeadLetter, Pause
from consumers.ops import flow
from consumers.ops.brokers import Logs
from consumers.ops.minutes import Minutes
from kafka_shop.databases import served_aliases
from kafka_shop.users.models import User
from tests.flows.shop import Shop
from tests.flows.ways import Way

OPS = "/api/v1/ops/"

pytestmark = pytest.mark.parametrize("way", [Way("kafka", "auto", "apart")], ids=str)


@pytest.fixture
def operator(shop: Shop) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("eve"))
    return client


def test_an_order_is_followed_through_three_databases(shop: Shop, operator: Client) -> None:
    alice = shop.customer("alice", "100.00")
    order = alice.order()
    shop.settle()

    told: dict[str, Any] = operator.get(f"{OPS}orders/{order}/trace/").json()

    assert [each["what"] for each in told["steps"]] == ["accepted", "published", "billed", "settled", "letter"]
    assert all(each["offset"] is not None and each["state"] == "applied" for each in told["events"])
    assert all(each["at"] <= each["published_at"] <= each["applied_at"] for each in told["events"])  # the broker tells when
    assert (told["status"], told["waiting_for"], told["elsewhere"]) == ("paid", "", [])


def test_the_flow_knows_three_databases_and_the_broker(shop: Shop, operator: Client) -> None:
    alice = shop.customer("alice", "100.00")
    alice.order()
    shop.settle()

    seen = flow.gather(Logs(), Minutes(), timezone.now())

    assert (seen["broker"], set(seen["databases"].values()), len(seen["databases"])) == ("ok", {"ok"}, 3)
    assert [(each["lag"], each["drain_seconds"]) for each in seen["edges"]] == [(0, 0.0)] * 3
    assert seen["place_to_letter"]["letters"] == 1


def test_dead_letters_of_three_databases_are_one_list_in_pages(shop: Shop, operator: Client) -> None:
    made = [letter(name) for name in ("billing", "orders", "notify", "billing", "notify")]

    seen, address = [], f"{OPS}dead-letters/?page_size=2"
    while address:
        page = operator.get(address).json()
        seen += [each["id"] for each in page["results"]]
        address = page["next"]

    assert len(served_aliases()) == 3
    assert seen == [str(each.pk) for each in reversed(made)]
    assert operator.get(f"{OPS}dead-letters/{made[2].pk}/").json()["consumer"] == "notify"


def letter(name: str) -> DeadLetter:
    """A dead letter in the database of its consumer."""
    letter = DeadLetter(consumer=name, identity=f"{name} {timezone.now()}", reason="x", fingerprint="f", failed_at=timezone.now())
    letter.save(using=name if name != "orders" else "default")
    return letter


def test_the_console_tells_the_story_of_an_order_from_three_databases(shop: Shop, operator: Client) -> None:
    order = shop.customer("alice", "100.00").order()
    shop.settle()

    shown = operator.get(f"/admin/console/trace/{order}/").content.decode()

    for words in ("billed", "settled", "letter", "charge", "Your order is paid", "it has come to its end"):
        assert words in shown, words
    assert "not told" not in shown


def test_dead_letters_of_three_databases_are_read_and_mended_in_the_console(shop: Shop, operator: Client) -> None:
    made = [letter(name) for name in ("billing", "orders", "notify")]

    shown = operator.get("/admin/console/dead-letters/").content.decode()

    for each in made:
        address = f"/admin/console/dead-letters/{each.pk}/"
        assert address in shown and operator.get(address).status_code == 200
        operator.post("/admin/console/dead-letters/discard/", {"id": str(each.pk), "why": "a test"})
        each.refresh_from_db()
        assert (each.state, each.closed_because) == ("discarded", "a test")
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Discarded, because a test."] * 3


def test_a_pause_is_kept_in_the_consumers_own_database(shop: Shop, operator: Client) -> None:
    assert operator.post(f"{OPS}consumers/notify/pause/", "{}", "application/json").status_code == 200
    assert {alias: Pause.objects.using(alias).count() for alias in served_aliases()} == {"default": 0, "billing": 0, "notify": 1}
    assert operator.post(f"{OPS}consumers/notify/resume/", "{}", "application/json").status_code == 200
    assert not Pause.objects.using("notify").exists()
