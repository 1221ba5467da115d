"""`audit --topics` on real logs: clean while the shop works; messages without effect, moved positions and lost facts are found."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from confluent_kafka import Producer
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from consumers.audit import audit
from consumers.log_audit import audit_logs
from consumers.models import DeadLetter
from kafka_shop.databases import run
from kafka_shop.messaging.kafka import Inspector, scan
from kafka_shop.messaging.models import OutboxRow
from orders.models import Order
from tests.acceptance.shop import Shop
from tests.acceptance.worker import stop
from tests.kafka.probe import CLIENT

pytestmark = pytest.mark.kafka


@pytest.fixture
def at_rest(shop: Shop) -> Shop:
    """A shop with orders of every end, whose processes have ended."""
    with shop.customers_ordering():
        workers = shop.start()
        shop.goes_on(60)
    shop.settles()
    stop(workers.values())
    return shop


def found() -> list[tuple[str, str, str]]:
    """Check, subject and detail of each finding in the logs."""
    findings, read = audit_logs(lambda read, total: None)
    assert read > 0
    return [(each.check, each.subject, each.detail) for each in findings]


def tamper(sql: str, *params: object) -> None:
    """Changes the tables as somebody does who owns the database."""
    run("default", "SET session_replication_role = replica")
    assert run("default", sql, *params) == 1
    run("default", "SET session_replication_role = origin")


@contextmanager
def undone() -> Iterator[None]:
    """What is changed within is as it was before."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_it_is_clean_after_a_run_and_says_so(at_rest: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[int, int]] = []
    findings, read = audit_logs(lambda *progress: told.append(progress))
    assert findings == []
    assert read == sum(at_rest.end(destination) for destination in at_rest.topics)
    assert told[-1] == (read, read)
    assert [count for count, _ in told] == sorted(count for count, _ in told)

    call_command("audit", "--topics")
    assert capsys.readouterr().out.endswith(f"{read:,} messages checked, 0 in flight\nclean: no money and no order is lost\n")


def test_the_command_shows_what_it_found_and_ends_with_1(at_rest: Shop, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.SWEEP_AFTER_SECONDS = 0
    tamper("DELETE FROM notify_letter WHERE id = (SELECT id FROM notify_letter LIMIT 1)")
    with pytest.raises(SystemExit) as ended:
        call_command("audit", "--topics", "--json")
    assert ended.value.code == 1
    report = json.loads(capsys.readouterr().out)
    assert {each["check"] for each in report["findings"]} == {"I5", "I8"}
    assert report["counted"]["messages"] == sum(at_rest.end(destination) for destination in at_rest.topics)


def test_it_is_clean_while_customers_order(shop: Shop) -> None:
    with shop.customers_ordering():
        shop.start()
        shop.goes_on(60)
        for _ in range(5):
            assert found() == []
            assert audit(timezone.now()).findings == []


REMOVALS = {
    "billing": "DELETE FROM billing_invoice WHERE order_id = %s",
    "orders": "UPDATE orders_order SET paid_at = NULL, sweep_from = placed_at WHERE id = %s",
    "notify": "DELETE FROM notify_letter WHERE order_id = %s",
}


def test_what_is_taken_from_the_tables_is_found(at_rest: Shop) -> None:
    order = Order.objects.filter(status="paid")[0]
    for consumer, removal in REMOVALS.items():
        with undone():
            tamper(removal, order.id)
            findings = found()
        assert {check for check, _, _ in findings} == {"I8"}
        assert all(str(order.id) in detail and detail.startswith(f"{consumer} has ") for _, _, detail in findings)

    with undone():
        run("default", "UPDATE consumers_position SET position = 100000, anchor_offset = 99999 WHERE consumer = 'notify' AND partition = 0")
        [(check, subject, detail)] = found()
    assert (check, subject) == ("I7", f"{at_rest.topics['notify-topic']}[0]@100000")
    assert detail.startswith("notify stands where its log, from 0 to ")

    at_rest.seed(2)
    lost = OutboxRow.objects.order_by("number")[0]
    lost.delete()
    gone = f"{lost.event_id} is gone from the outbox, and neither in {at_rest.topics['order-topic']} nor applied"
    assert found() == [("I8", lost.event_id.partition(":")[2], gone)]


def test_a_position_that_was_moved_past_messages_is_found_with_each_of_them(at_rest: Shop) -> None:
    at_rest.seed(20)
    relay = at_rest.relay()
    at_rest.published()
    relay.stop()
    assert found() == []  # they lie before the consumer
    topic, inspector = at_rest.topics["order-topic"], Inspector()
    for partition in (0, 1):
        high = inspector.watermarks(topic, partition).high
        run("default", "UPDATE consumers_position SET position = %s WHERE consumer = 'billing' AND partition = %s", high, partition)
    inspector.close()

    findings = found()

    assert [check for check, _, _ in findings] == ["I8"] * 20
    pending = {str(id) for id in Order.objects.filter(status="pending").values_list("id", flat=True)}
    assert {detail.split(":")[1].split()[0] for _, _, detail in findings} == pending
    moved = {each.subject for each in audit(timezone.now()).findings if each.check == "I7"}
    assert moved == {f"{topic}[0]", f"{topic}[1]"}


def test_a_lost_order_is_found_although_a_consumer_is_behind_and_those_before_it_are_in_flight(at_rest: Shop, settings: Settings) -> None:
    settings.SWEEP_AFTER_SECONDS = 0
    at_rest.seed(3)
    lost = OutboxRow.objects.order_by("number")[0]
    lost.delete()
    relay = at_rest.relay(SWEEP_AFTER_SECONDS="3600")
    at_rest.published()
    relay.stop()

    report = audit(timezone.now() + timedelta(seconds=1))

    assert [(each.check, each.subject) for each in report.findings] == [("I1", lost.event_id.partition(":")[2])]
    assert len(report.in_flight) == 2


def test_a_dead_letter_explains_its_message_and_without_it_the_message_is_found(at_rest: Shop) -> None:
    producer = Producer({"bootstrap.servers": at_rest.kafka.bootstrap, **CLIENT})
    producer.produce(at_rest.topics["order-topic"], b"?", partition=0)
    producer.produce(at_rest.topics["order-topic"], b"{}", partition=0, headers=[("ce_type", b"somebody.elses.v1")])
    assert producer.flush(10) == 0
    assert at_rest.consumer("billing", "--until-idle").wait(30) == 0
    assert found() == []

    where = DeadLetter.objects.get().offset
    DeadLetter.objects.all().delete()

    [(check, subject, _)] = found()
    assert (check, subject) == ("I8", f"{at_rest.topics['order-topic']}[0]@{where}")


def test_services_by_themselves_and_with_an_older_log(at_rest: Shop, settings: Settings) -> None:
    settings.SERVICES = ["notify"]
    findings, read = audit_logs(lambda read, total: None)
    assert (findings, read) == ([], at_rest.end("notify-topic"))

    settings.SERVICES = ["orders"]
    assert found() == []
    with undone():
        at_rest.order(at_rest.customer("0"))
        OutboxRow.objects.all().delete()
        assert [check for check, _, _ in found()] == ["I8"]

    settings.SERVICES = ["orders", "billing", "notify"]
    topic = at_rest.topics["order-topic"]
    at_rest.kafka.delete_topic(topic)
    at_rest.kafka.create_topic(topic, 2)
    assert found() == []  # all was applied from the log that is gone


def test_a_log_with_offsets_that_no_message_has_is_read_to_its_end(shop: Shop) -> None:
    """A transaction ends with a marker, which takes an offset; what was aborted is passed over."""
    topic = shop.topics["order-topic"]
    producer = Producer({"bootstrap.servers": shop.kafka.bootstrap, "transactional.id": topic, **CLIENT})
    producer.init_transactions(30)
    for value, end in ((b"1", producer.commit_transaction), (b"aborted", producer.abort_transaction), (b"2", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(topic, value, partition=0)
        producer.flush(10)
        end(30)

    assert [[record.value for record in records] for records in scan(topic, 0, 0, 6)] == [[b"1", b"2"]]
    assert list(scan(topic, 0, 6, 6)) == []
