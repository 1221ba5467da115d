"""The order trace in the console: the story of an order, found by any of its ids."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from billing.models import Invoice, Transfer
from consumers.console.tests.people import operator
from consumers.models import DeadLetter
from consumers.ops import finding
from consumers.ops.finding import find
from consumers.ops.stored import OWN, stored
from consumers.ops.tests.moving import apply, moved, placed, published
from consumers.pausing import pause
from kafka_shop.api.tests.people import user
from kafka_shop.databases import rows, run
from kafka_shop.ids import uuid7
from notify.models import Letter
from orders.models import Order

pytestmark = pytest.mark.django_db
WAY = ("billing", "orders", "notify")
REFRESHES = "data-refresh"


@pytest.fixture
def staff() -> Client:
    return operator("eve", "view_deadletter")


@pytest.fixture
def order() -> Order:
    return placed(user("carol"))


def page(staff: Client, order: UUID, status: int = 200) -> str:
    answer = staff.get(reverse("admin:order_trace", args=[order]))
    assert answer.status_code == status
    return answer.content.decode()


def test_a_finished_order_shows_every_step_and_event_and_rests(staff: Client, order: Order) -> None:
    moved(*WAY)

    shown = page(staff, order.id)

    for words in ("accepted", "published", "billed", "settled", "letter", "charge", "Your order is paid", "it has come to its end"):
        assert words in shown, words
    for event in (f"order.placed:{order.id}", f"invoice.settled:{order.id}", f"order.settled:{order.id}:paid"):
        assert event in shown
    assert "partition <b>1</b>, offset <b>0</b>" in shown
    assert REFRESHES not in shown


def test_an_order_on_its_way_says_what_it_waits_for_and_looks_again(staff: Client, order: Order) -> None:
    moved("billing")
    shown = page(staff, order.id)
    assert "the relay: invoice.settled" in shown and REFRESHES in shown


def test_a_dead_letter_is_named_with_the_way_to_it(staff: Client, order: Order) -> None:
    apply("billing", published("order-topic"), refusal="Conflict: another amount")
    link = reverse("admin:dead_letter", args=[DeadLetter.objects.get().pk])
    assert link in page(staff, order.id)
    assert link not in page(operator("frank"), order.id)  # who may not look at dead letters is not led there


def test_a_pause_is_named_with_the_way_to_end_it(staff: Client, order: Order) -> None:
    published("order-topic")
    pause(name="billing", by="eve", now=timezone.now())
    shown = page(staff, order.id)
    assert "billing, which is paused" in shown and "Resume billing" in shown


@pytest.mark.parametrize("name", WAY)
def test_a_database_that_does_not_answer_is_named(staff: Client, order: Order, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    moved(*WAY)
    monkeypatch.setitem(OWN, name, away)
    assert f"The database of {name} does not answer" in page(staff, order.id)


def test_a_service_that_is_served_elsewhere_is_named_and_not_waited_for(staff: Client, order: Order, settings: Settings) -> None:
    moved(*WAY)
    settings.SERVICES = ["orders", "billing"]
    shown = page(staff, order.id)
    assert "This web does not serve notify" in shown and REFRESHES not in shown


def test_an_order_that_nobody_knows_is_404_in_words(staff: Client) -> None:
    id = uuid7()
    assert f'No order here has the id <span class="id">{id}</span>' in page(staff, id, status=404)
    assert staff.get("/admin/console/trace/x/").status_code == 404


def test_what_others_wrote_is_text_on_the_page(staff: Client) -> None:
    answer = staff.get(reverse("admin:find_order"), {"q": "<script>alert(1)</script>"})
    assert "<script>alert" not in answer.content.decode()


# --- the search ---

IDS: dict[str, Callable[[Order], Any]] = {
    "order": lambda order: order.id,
    "order in capitals": lambda order: str(order.id).upper(),
    "invoice": lambda order: Invoice.objects.get(order_id=order.id).id,
    "transfer": lambda order: Transfer.objects.get(kind="charge").id,
    "letter": lambda order: Letter.objects.get(order_id=order.id).id,
    "dead letter": lambda order: letter_of(order).id,
    "event": lambda order: f"order.settled:{order.id}:paid",
    "event of another producer": lambda order: letter_of(order, identity="somebody's event").identity,
}


def letter_of(order: Order, identity: str = "x") -> DeadLetter:
    return DeadLetter.objects.create(
        consumer="notify", identity=identity, subject=str(order.id), reason="x", fingerprint="f", failed_at=timezone.now()
    )


@pytest.mark.parametrize("kind", IDS)
def test_any_id_leads_to_its_order(staff: Client, order: Order, kind: str) -> None:
    moved(*WAY)
    answer = staff.get(reverse("admin:find_order"), {"q": f" {IDS[kind](order)} "})
    assert (answer.status_code, answer.headers.get("Location")) == (302, reverse("admin:order_trace", args=[order.id]))


@pytest.mark.parametrize("typed", ["x", "order.placed", "00000000-0000-0000-0000-000000000000", "%", "'", "\0", "x" * 600])
def test_what_is_nobodys_id_is_404(staff: Client, order: Order, typed: str) -> None:
    assert staff.get(reverse("admin:find_order"), {"q": typed}).status_code == 404


def test_an_empty_search_is_a_question(staff: Client) -> None:
    assert staff.get(reverse("admin:find_order")).status_code == 200


def test_an_id_that_only_an_absent_database_may_know_is_not_said_to_be_unknown(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "in_orders", away)
    answer = staff.get(reverse("admin:find_order"), {"q": str(uuid7())})
    assert answer.status_code == 503
    assert "The database of orders" in answer.content.decode()


def away(*_: object) -> Any:
    raise OperationalError("away")


def test_every_look_goes_along_an_index(order: Order) -> None:
    moved(*WAY)
    with CaptureQueriesContext(connection) as asked:
        stored(order.id)
        find(str(uuid7()))
    looks = [each["sql"] for each in asked if "SELECT" in each["sql"] and "EXISTS" not in each["sql"]]
    assert len(looks) > 10
    run("default", "SET LOCAL enable_seqscan = off")
    for sql in looks:
        plan = "\n".join(line for (line,) in rows("default", f"EXPLAIN {sql}"))
        assert "Seq Scan" not in plan, plan


# --- who ---


def test_the_trace_is_for_staff_only(order: Order) -> None:
    carol = Client()
    carol.force_login(user("dave"))
    for client in (Client(), carol):
        for path in (reverse("admin:order_trace", args=[order.id]), reverse("admin:find_order")):
            answer = client.get(path)
            assert answer.status_code == 302 and "/admin/login/" in answer["Location"]


def test_a_trace_is_only_looked_at(staff: Client, order: Order) -> None:
    assert staff.post(reverse("admin:order_trace", args=[order.id])).status_code == 405


def test_rows_are_linked_for_those_who_may_see_them(order: Order) -> None:
    moved(*WAY)
    link = reverse("admin:orders_order_change", args=[order.id])
    assert link not in page(operator("frank"), order.id)
    assert link in page(operator("grace", "view_order"), order.id)
