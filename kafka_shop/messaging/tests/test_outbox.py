"""The outbox: a fact is a row of the transaction that makes it true."""

from uuid import UUID

import pytest

from kafka_shop.databases import limited_transaction
from kafka_shop.messaging import outbox
from kafka_shop.messaging.envelope import LARGEST_DATA_BYTES, FactTooLarge, from_json, seal
from kafka_shop.messaging.models import OutboxRow
from kafka_shop.messaging.tests.stubs import CUSTOMER, NOON, TRACE, Said, said, several

committed = pytest.mark.usefixtures("committed")
database = pytest.mark.usefixtures("db")


def publish(*facts: Said, resent: bool = False, traceparents: dict[str, str] | None = None) -> int:
    with limited_transaction("default"):
        return outbox.publish(facts, alias="default", now=NOON, resent=resent, traceparents=traceparents)


def waiting() -> list[str]:
    return list(OutboxRow.objects.order_by("number").values_list("event_id", flat=True))


@committed
def test_outside_a_transaction_no_fact_is_published() -> None:
    with pytest.raises(RuntimeError, match="in the transaction that makes it true"):
        outbox.publish([said()], alias="default", now=NOON)

    assert waiting() == []


@committed
def test_a_transaction_that_is_rolled_back_publishes_nothing() -> None:
    with pytest.raises(LookupError), limited_transaction("default"):
        outbox.publish([said()], alias="default", now=NOON)
        raise LookupError

    assert waiting() == []


@database
def test_a_row_holds_the_whole_event_and_its_key() -> None:
    assert publish(said(), traceparents={str(said().order_id): TRACE}) == 1

    row = OutboxRow.objects.get()
    assert (row.destination, row.event_id, row.key) == ("order-topic", said().id, str(CUSTOMER))
    assert bytes(from_json(bytes(row.event)).data) == bytes(seal(said()).data)
    assert from_json(bytes(row.event)).traceparent == TRACE
    assert (row.resent, row.attempts, row.refused, row.not_before, row.created_at) == (False, 0, "", None, NOON)


@database
def test_facts_leave_in_the_order_in_which_they_are_given() -> None:
    facts = several(50)[::-1]

    publish(*facts[:20])
    publish(*facts[20:])

    assert waiting() == [fact.id for fact in facts]


@database
def test_a_fact_that_waits_already_is_not_written_again() -> None:
    publish(said())

    assert publish(said()) == 0
    assert publish(said(), *several(2), resent=True) == 2
    assert waiting() == [said().id] + [fact.id for fact in several(2)]
    assert not OutboxRow.objects.get(event_id=said().id).resent


@database
def test_a_fact_twice_in_a_call_is_one_row() -> None:
    assert publish(said(), said()) == 1


@database
def test_a_fact_that_has_left_can_be_published_again() -> None:
    publish(said())
    OutboxRow.objects.all().delete()

    assert publish(said(), resent=True) == 1
    assert OutboxRow.objects.get().resent


@database
def test_a_fact_too_large_takes_all_of_its_transaction_back() -> None:
    with pytest.raises(FactTooLarge):
        publish(*several(2), said("x" * LARGEST_DATA_BYTES))

    assert waiting() == []


@database
def test_a_trace_goes_to_the_facts_of_its_order_and_the_requests_own_to_the_others() -> None:
    request = TRACE.replace("4bf9", "0000")
    token = outbox.traceparent.set(request)
    try:
        publish(*several(2), traceparents={str(UUID(int=100)): TRACE})
    finally:
        outbox.traceparent.reset(token)

    traces = [from_json(bytes(row.event)).traceparent for row in OutboxRow.objects.order_by("number")]
    assert traces == [TRACE, request]


@database
def test_no_facts_are_no_statement(statements: list[str]) -> None:
    assert outbox.publish([], alias="default", now=NOON) == 0
    assert statements == []


@database
def test_500_facts_are_one_statement(statements: list[str]) -> None:
    with limited_transaction("default"):
        statements.clear()
        assert outbox.publish(several(500), alias="default", now=NOON) == 500

    assert sum("INSERT" in statement for statement in statements) == 1
