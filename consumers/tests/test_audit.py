"""The audit: clean after a whole life of orders, loud when something is missing, quiet about what is on its way."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

import httpx
import msgspec
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django import Settings

import billing.services
import orders.services
from consumers.arrivals import APPLIED, TOLD
from consumers.audit import audit
from consumers.in_flight import answers
from consumers.log_audit import PUBLISHED
from consumers.models import Position
from consumers.routes import PUBLISHERS, ROUTES
from kafka_shop.databases import limited_transaction, run
from kafka_shop.findings import Finding
from kafka_shop.ids import uuid7
from kafka_shop.messaging import outbox
from kafka_shop.messaging.envelope import from_json
from kafka_shop.messaging.events import Received
from kafka_shop.messaging.http import HttpCarrier
from kafka_shop.messaging.models import OutboxRow
from orders.models import Order

LONG_AGO = datetime(2026, 1, 31, 9, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def alice() -> UUID:
    """A customer with 100.00."""
    orders.services.seed_catalogue()
    customer = uuid7()
    account = billing.services.open_account(customer_id=customer, currency="EUR", now=LONG_AGO)
    billing.services.deposit(account_id=account.id, amount=Decimal("100.00"), now=LONG_AGO)
    return customer


def place(customer: UUID, sku: str = "TEA-001", quantity: int = 1) -> Order:
    return orders.services.place_order(customer_id=customer, items=[(sku, quantity)], now=LONG_AGO)


def deliver_all(now: datetime = LONG_AGO) -> None:
    """Applies every fact of the outbox, and all that follows, as relay and consumers do."""
    while row := OutboxRow.objects.order_by("number").first():
        envelope = from_json(bytes(row.event))
        handlers = [(kind, handle) for route in ROUTES.values() for kind, handle in route.handlers.items() if kind.type == envelope.type]
        assert handlers
        with limited_transaction("default"):
            row.delete()
            for kind, handle in handlers:
                facts = handle([Received(msgspec.json.decode(envelope.data, type=kind), now)])
                outbox.publish(facts, alias="default", now=now)


def checks() -> set[tuple[str, str]]:
    return {(each.check, each.subject) for each in audit(timezone.now()).findings}


def test_a_whole_life_of_orders_is_clean(alice: UUID) -> None:
    paid, refused, cancelled = place(alice), place(alice, "ESP-001"), place(alice)
    deliver_all()
    orders.services.cancel_order(order_id=cancelled.id, now=LONG_AGO)
    deliver_all()

    report = audit(timezone.now())

    assert not report.findings
    assert not report.in_flight
    assert report.counted == {"orders": 3, "letters": 5}
    statuses = {order.id: order.status for order in Order.objects.all()}
    assert statuses == {paid.id: "paid", refused.id: "rejected", cancelled.id: "cancelled"}


def test_an_order_that_billing_never_heard_of_is_found(alice: UUID) -> None:
    order = place(alice)
    OutboxRow.objects.all().delete()
    assert checks() == {("I1", str(order.id))}


def test_an_order_that_waits_in_the_outbox_is_in_flight(alice: UUID) -> None:
    order = place(alice)
    OutboxRow.objects.update(created_at=timezone.now())
    report = audit(timezone.now())
    assert not report.findings
    assert [each.subject for each in report.in_flight] == [str(order.id)]


def test_an_order_that_is_younger_than_the_sweep_is_in_flight(alice: UUID) -> None:
    order = orders.services.place_order(customer_id=alice, items=[("TEA-001", 1)], now=timezone.now())
    OutboxRow.objects.all().delete()
    report = audit(timezone.now())
    assert not report.findings
    assert [each.subject for each in report.in_flight] == [str(order.id)]


@pytest.mark.parametrize("column", ["currency", "customer_id"])
def test_an_invoice_of_another_customer_or_currency_is_found(alice: UUID, column: str) -> None:
    order = place(alice, "ESP-001")
    deliver_all()
    run("default", f"UPDATE billing_invoice SET {column} = %s", "USD" if column == "currency" else uuid7())
    assert checks() == {("I1", str(order.id))}


def test_a_cent_in_an_order_is_found(alice: UUID) -> None:
    order = place(alice)
    deliver_all()
    run("default", "UPDATE orders_order SET total = total + 0.01")
    assert checks() == {("I1", str(order.id)), ("orders.total", str(order.id))}


def test_a_deleted_order_is_found(alice: UUID) -> None:
    order = place(alice)
    deliver_all()
    run("default", "DELETE FROM orders_orderline")
    run("default", "DELETE FROM orders_order")
    assert checks() == {("I1", str(order.id)), ("I5", str(order.id))}


def test_a_deleted_invoice_is_found(alice: UUID) -> None:
    order = place(alice, "ESP-001")
    deliver_all()
    run("default", "DELETE FROM billing_invoice")
    assert checks() == {("I1", str(order.id))}


def test_two_swapped_invoices_are_found(alice: UUID) -> None:
    orders = [place(alice, "ESP-001"), place(alice, "ESP-001", 2)]
    deliver_all()
    swap(*orders, table="billing_invoice")
    assert checks() == {("I1", str(order.id)) for order in orders}


def test_two_swapped_letters_are_found(alice: UUID) -> None:
    orders = [place(alice), place(uuid7(), "ESP-001")]
    run("default", "UPDATE orders_order SET placed_at = %s", LONG_AGO)
    deliver_all()
    swap(*orders, table="notify_letter")
    assert checks() == {("I5", str(order.id)) for order in orders}


def test_two_swapped_letters_of_one_outcome_are_found(alice: UUID) -> None:
    orders = [place(uuid7()), place(uuid7())]
    deliver_all()
    swap(*orders, table="notify_letter")
    assert checks() == {("I5", str(order.id)) for order in orders}


def swap(first: Order, second: Order, *, table: str) -> None:
    """Exchanges the orders of two rows."""
    for old, new in ((first.id, uuid7()), (second.id, first.id)):
        assert run("default", f"UPDATE {table} SET order_id = %s WHERE order_id = %s", new, old) == 1
    assert run("default", f"UPDATE {table} SET order_id = %s WHERE order_id <> %s", second.id, first.id) == 1


def test_an_order_that_waits_for_its_customer_to_pay_is_explained(alice: UUID, settings: Settings) -> None:
    settings.BILLING_MODE = "on_request"
    place(alice)
    deliver_all()
    assert not checks()


def test_an_old_row_of_the_outbox_is_found(alice: UUID) -> None:
    order = place(alice)
    assert ("I6", f"order.placed:{order.id}") in checks()


def test_an_old_row_is_in_flight_while_its_destination_is_silent(alice: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    order = place(alice)
    monkeypatch.setattr("consumers.audit.answers", lambda destination: destination != "order-topic")
    report = audit(timezone.now())
    assert not report.findings
    assert {(each.check, each.subject) for each in report.in_flight} == {("I6", f"order.placed:{order.id}"), ("I1", str(order.id))}


def test_a_refused_row_is_found_although_its_destination_is_silent(alice: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    order = place(alice)
    OutboxRow.objects.update(refused="too large", created_at=timezone.now())
    monkeypatch.setattr("consumers.audit.answers", lambda destination: False)
    assert checks() == {("I6", f"order.placed:{order.id}")}


def test_a_row_that_was_put_back_may_wait_longer(alice: UUID) -> None:
    place(alice)
    OutboxRow.objects.update(resent=True)
    assert not checks()


class TestAnswers:
    """Whether a destination could take rows now."""

    def test_a_broker_that_is_there_answers(self, embedded_broker: str) -> None:
        assert answers("order-topic")

    def test_a_broker_that_is_away_does_not(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:9"
        monkeypatch.setattr("kafka_shop.messaging.kafka.inspector.ANSWER_SECONDS", 0.2)
        assert not answers("order-topic")

    def test_a_missing_topic_or_setting_is_no_silence(self, embedded_broker: str, settings: Settings) -> None:
        settings.TOPICS = {"order-topic": "nowhere"}
        assert answers("order-topic")
        settings.KAFKA_BOOTSTRAP_SERVERS = ""
        assert answers("order-topic")

    @pytest.mark.parametrize("status", [204, 503])
    def test_a_service_over_http_answers_when_it_takes_an_empty_request(
        self, status: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.TRANSPORT, settings.SERVICE_URLS = "http", {"billing": "http://billing"}
        asked: list[tuple[str, bytes]] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append((str(request.url), request.content))
            return httpx.Response(status)

        monkeypatch.setattr("consumers.in_flight.HttpCarrier", partial(HttpCarrier, transport=httpx.MockTransport(answer)))
        assert answers("order-topic") == (status == 204)
        assert asked == [("http://billing/api/v1/billing/events/", b"[]")]


def test_a_position_that_was_moved_without_its_message_is_found() -> None:
    place = {"consumer": "billing", "topic": "order-topic", "anchor_offset": 6}
    Position.objects.create(partition=0, position=7, **place)
    Position.objects.create(partition=1, position=9, **place)
    Position.objects.create(partition=2, position=9, **place | {"anchor_offset": None})  # rewound: nothing was applied since
    [finding] = audit(timezone.now()).findings
    assert (finding.check, finding.subject, finding.detail) == ("I7", "order-topic[1]", "billing stands at 9, and applied 6 last")


def test_a_lost_letter_is_found(alice: UUID) -> None:
    order = place(alice)
    deliver_all()
    run("default", "DELETE FROM notify_letter")
    assert checks() == {("I5", str(order.id))}


def test_a_letter_without_its_fact_is_found(alice: UUID) -> None:
    order = place(alice)
    deliver_all()
    run("default", "UPDATE notify_letter SET outcome = 'cancelled'")
    assert checks() == {("I5", str(order.id))}


def test_an_order_that_says_paid_while_billing_declined_is_found(alice: UUID) -> None:
    order = place(alice, "ESP-001")
    deliver_all()
    run("default", "UPDATE orders_order SET rejected_at = NULL, reason = '', paid_at = placed_at")
    assert ("I1", str(order.id)) in checks()


def test_an_open_dead_letter_explains_what_is_missing(alice: UUID) -> None:
    order = place(alice)
    OutboxRow.objects.all().delete()
    run(
        "default",
        "INSERT INTO consumers_deadletter (id, consumer, identity, topic, headers, event_type, subject, reason, fingerprint, attempts,"
        " failed_at, outcome) VALUES (%s, 'billing', 'x', 't', '[]', '', %s, 'broken', 'f', 1, %s, '')",
        uuid7(), str(order.id), LONG_AGO,
    )  # fmt: skip
    assert not checks()


def test_the_command_says_that_all_is_well(alice: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    place(alice)
    deliver_all()
    call_command("audit")
    assert capsys.readouterr().out.endswith("1 orders, 1 letters checked, 0 in flight\nclean: no money and no order is lost\n")


def test_the_command_fails_with_the_findings(alice: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    order = place(alice)
    deliver_all()
    run("default", "DELETE FROM notify_letter")
    with pytest.raises(SystemExit) as ended:
        call_command("audit", "--json")
    assert ended.value.code == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["check"], finding["subject"]) == ("I5", str(order.id))


def test_what_is_mended_between_the_two_looks_is_no_finding(alice: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    place(alice)

    def deliver_meanwhile(alias: str, now: datetime) -> list[tuple[Finding, bool]]:
        deliver_all(now - timedelta(hours=1))
        return []

    monkeypatch.setattr("consumers.audit.old_rows", deliver_meanwhile)
    report = audit(timezone.now())
    assert not report.findings
    assert not report.in_flight


def test_the_audit_knows_the_effect_of_every_event_that_is_routed() -> None:
    assert set(TOLD) == {kind for route in ROUTES.values() for kind in route.handlers}
    assert set(APPLIED) == set(ROUTES)
    assert set(PUBLISHED) == set(PUBLISHERS.values())


def test_over_http_there_are_no_topics(settings: Settings) -> None:
    settings.TRANSPORT = "http"
    with pytest.raises(CommandError, match="with TRANSPORT=http there are no topics to compare: run `audit` without --topics"):
        call_command("audit", "--topics")
