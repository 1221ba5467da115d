"""The proof that no money and no order is lost: what each database alone can tell, and what the services' tables say of each other.

One snapshot a database. What does not agree is read again in a second one, and what is still on its way is called in flight: facts in an
outbox, messages that a consumer has not reached, open dead letters, and all that is younger than the sweep's age.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

import billing.audit
import notify.audit
import orders.audit
from consumers.positions import Positions
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of, rows, run, served_aliases
from kafka_shop.findings import Finding
from kafka_shop.messaging.kafka import BrokerAway, BrokerMisused, Inspector

LOCAL: dict[str, Callable[[str], Iterable[Finding]]] = {
    "orders": orders.audit.check,
    "billing": billing.audit.check,
    "notify": notify.audit.check,
}
OLD_ROW = timedelta(minutes=1)
OLD_ROWS = """
SELECT event_id, refused FROM messaging_outboxrow
WHERE refused <> '' OR (created_at < %s AND NOT resent) ORDER BY number LIMIT 1000
"""
OUTBOX_SUBJECTS = "SELECT split_part(event_id, ':', 2) FROM messaging_outboxrow WHERE split_part(event_id, ':', 2) = ANY(%s::text[])"
OPEN_SUBJECTS = "SELECT subject FROM consumers_deadletter WHERE closed_at IS NULL AND subject = ANY(%s::text[])"


@dataclass
class Report:
    """What an audit found. It is clean when there are no findings; what is in flight is none."""

    findings: list[Finding] = field(default_factory=list)
    in_flight: list[Finding] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)


def audit(now: datetime) -> Report:
    """Checks the services that this process serves; what needs all three is checked where all three are served."""
    report = Report()
    with snapshots():
        for service in settings.SERVICES:
            report.findings += LOCAL[service](alias_of(service))
        suspects = compare(report.counted) if together() else []
    for alias in served_aliases():
        report.findings += old_rows(alias, now)
    if suspects:
        with snapshots():
            again = set(compare({}))
        settle([each for each in suspects if each in again], report, now)
    return report


def together() -> bool:
    return set(settings.SERVICES) == set(ROUTES)


@contextmanager
def snapshots() -> Iterator[None]:
    """One REPEATABLE READ snapshot of each database in use."""
    with ExitStack() as stack:
        for alias in served_aliases():
            stack.enter_context(transaction.atomic(using=alias))
            run(alias, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def compare(counted: dict[str, int]) -> list[Finding]:
    """What the services' tables say differently of the same order (I1) or letter (I5)."""
    suspects = []
    ends, invoices = orders.audit.ends(alias_of("orders")), billing.audit.invoices(alias_of("billing"))
    for count, (id, order, invoice) in enumerate(merged(ends, invoices), 1):
        counted["orders"] = count
        problem = disagreement(order, invoice)
        if problem:
            suspects.append(Finding("I1", str(id), problem))
    facts = ((fact, fact) for fact in orders.audit.facts(alias_of("orders")))
    letters = ((letter, letter) for letter in notify.audit.letters(alias_of("notify")))
    for count, ((id, outcome), fact, letter) in enumerate(merged(facts, letters), 1):
        counted["letters"] = count
        if not (fact and letter):
            suspects.append(Finding("I5", str(id), f"its letter {outcome} " + ("is missing" if fact else "has no fact")))
    return suspects


def merged(left: Iterable[tuple[Any, ...]], right: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, Any, Any]]:
    """(key, left row or None, right row or None) of two streams that are sorted by their rows' first value."""
    tagged = heapq.merge(((row[0], 0, row) for row in left), ((row[0], 1, row) for row in right), key=itemgetter(0, 1))
    for key, group in groupby(tagged, key=itemgetter(0)):
        sides = {side: row for _, side, row in group}
        yield key, sides.get(0), sides.get(1)


def disagreement(order: orders.audit.End | None, invoice: billing.audit.Bill | None) -> str:
    """Why an order and its invoice do not explain each other, or ""."""
    if order is None:
        return "billing has an invoice of an order that is not there"
    if invoice is None:
        return f"it is {order.status}, and billing does not know it"
    if order.customer_id != invoice.customer_id or invoice.amount not in {None, order.amount}:
        return "its invoice has another customer or amount"
    if invoice.status not in EXPLAINED[order.status]:
        return f"it is {order.status}, its invoice is {invoice.status}"
    if order.refunded != (invoice.status == "refunded"):
        return "order and invoice do not agree that it was refunded"
    return ""


EXPLAINED: Mapping[str, set[str]] = {
    "pending": {"open"},
    "paid": {"paid"},
    "rejected": {"declined"},
    "cancelled": {"void", "declined", "refunded"},
}


def old_rows(alias: str, now: datetime) -> list[Finding]:
    """Outbox rows that should be out by now, or never will be (I6)."""
    late = "it waits in the outbox for over a minute"
    return [
        Finding("I6", event_id, f"its destination refused it for good: {refused}" if refused else late)
        for event_id, refused in rows(alias, OLD_ROWS, now - OLD_ROW)
    ]


def settle(suspects: list[Finding], report: Report, now: datetime) -> None:
    """Tells what is in flight from what is lost."""
    subjects = [each.subject for each in suspects]
    explained = waiting(subjects) | young(subjects, now)
    behind = bool(suspects) and any_consumer_behind()
    for suspect in suspects:
        (report.in_flight if behind or suspect.subject in explained else report.findings).append(suspect)


def waiting(subjects: list[str]) -> set[str]:
    """The orders of which a fact waits in an outbox, or lies among the open dead letters."""
    return {subject for alias in served_aliases() for sql in (OUTBOX_SUBJECTS, OPEN_SUBJECTS) for (subject,) in rows(alias, sql, subjects)}


def young(subjects: list[str], now: datetime) -> set[str]:
    """The orders to which something happened within the sweep's age."""
    since = now - timedelta(seconds=settings.SWEEP_AFTER_SECONDS)
    touched = orders.audit.touched_since(alias_of("orders"), [UUID(subject) for subject in subjects], since)
    return {str(id) for id in touched}


def any_consumer_behind() -> bool:
    """Whether a consumer has messages before it. False when the broker does not say: then nothing explains what is missing."""
    if settings.TRANSPORT != "kafka":
        return False
    try:
        inspector = Inspector()
        return any(behind(inspector, name) for name in ROUTES)
    except (BrokerAway, BrokerMisused):
        return False


def behind(inspector: Inspector, name: str) -> bool:
    topic = settings.TOPICS[ROUTES[name].topic]
    known = Positions(alias_of(name), name, topic).read()
    return any(inspector.watermarks(topic, each).high > known.get(each, 0) for each in inspector.partitions(topic))
