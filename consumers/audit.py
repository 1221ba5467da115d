"""The proof that no money and no order is lost: what each database alone can tell, and what the services' tables say of each other.

One snapshot a database. What does not agree, and is not on its way, is read again in a second one. On its way, or in flight, are the orders
of which a fact is in an outbox, a message before a consumer or among the open dead letters, and those younger than the sweep's age.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

import billing.audit
import notify.audit
import orders.audit
from consumers.in_flight import answers, on_their_way
from consumers.routes import ROUTES
from kafka_shop.databases import alias_of, rows, run, served_aliases
from kafka_shop.findings import Finding

LOCAL: dict[str, Callable[[str], Iterable[Finding]]] = {
    "orders": orders.audit.check,
    "billing": billing.audit.check,
    "notify": notify.audit.check,
}
OLD_ROW = timedelta(minutes=1)
OLD_ROWS = """
SELECT destination, event_id, refused FROM messaging_outboxrow
WHERE refused <> '' OR (created_at < %s AND NOT resent) ORDER BY number LIMIT 1000
"""
MISPLACED = """
SELECT consumer, topic, partition, position, anchor_offset FROM consumers_position
WHERE position <> anchor_offset + 1 ORDER BY consumer, topic, partition
"""


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
        report.findings += misplaced(alias)
        for row, waits in old_rows(alias, now):
            (report.in_flight if waits else report.findings).append(row)
    explained = on_their_way({each.subject for each in suspects}, now)
    if any(each.subject not in explained for each in suspects):
        with snapshots():
            again = set(compare({}))
        suspects = [each for each in suspects if each in again]
    settle(suspects, explained, report)
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
    since = notify.audit.kept_since(alias_of("notify"))
    facts = (((id, outcome), customer, at) for id, outcome, customer, at in orders.audit.facts(alias_of("orders")))
    letters = (((id, outcome), customer) for id, outcome, customer in notify.audit.letters(alias_of("notify")))
    for count, ((id, outcome), fact, letter) in enumerate(merged(facts, letters), 1):
        counted["letters"] = count
        problem = mistake(fact, letter, since)
        if problem:
            suspects.append(Finding("I5", str(id), f"its letter {outcome} {problem}"))
    return suspects


def mistake(fact: tuple[Any, ...] | None, letter: tuple[Any, ...] | None, since: datetime) -> str:
    """What is wrong with the letter of a fact, or "". Letters of facts before `since` may have been deleted."""
    if fact is None:
        return "has no fact"
    if letter is None:
        return "is missing" if fact[2] >= since else ""
    return "" if letter[1] == fact[1] else "is another customer's"


def merged(left: Iterable[tuple[Any, ...]], right: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, Any, Any]]:
    """(key, left row or None, right row or None) of two streams that are sorted by their rows' first value."""
    lefts, rights = iter(left), iter(right)
    first, second = next(lefts, None), next(rights, None)
    while first or second:
        if second is None or (first is not None and first[0] < second[0]):
            yield first[0], first, None  # type: ignore[index]  # one of both is there
            first = next(lefts, None)
        elif first is None or second[0] < first[0]:
            yield second[0], None, second
            second = next(rights, None)
        else:
            yield first[0], first, second
            first, second = next(lefts, None), next(rights, None)


def disagreement(order: orders.audit.End | None, invoice: billing.audit.Bill | None) -> str:
    """Why an order and its invoice do not explain each other, or ""."""
    if order is None:
        return "billing has an invoice of an order that is not there"
    if invoice is None:
        return f"it is {order.status}, and billing does not know it"
    if order.customer_id != invoice.customer_id or (invoice.amount is not None and invoice[2:4] != order[2:4]):
        return "its invoice has another customer, amount or currency"
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


def old_rows(alias: str, now: datetime) -> Iterator[tuple[Finding, bool]]:
    """Outbox rows that should be out by now, or never will be (I6), and whether they wait only for a destination that does not answer."""
    found = rows(alias, OLD_ROWS, now - OLD_ROW)
    silent = {destination for destination in {row[0] for row in found} if not answers(destination)}
    for destination, event_id, refused in found:
        problem = f"its destination refused it for good: {refused}" if refused else "it waits in the outbox for over a minute"
        yield Finding("I6", event_id, problem), not refused and destination in silent


def misplaced(alias: str) -> list[Finding]:
    """Positions that are not behind the message that was applied last (I7): somebody moved them without it."""
    return [
        Finding("I7", f"{topic}[{partition}]", f"{consumer} stands at {position}, and applied {anchor} last")
        for consumer, topic, partition, position, anchor in rows(alias, MISPLACED)
    ]


def settle(suspects: list[Finding], explained: Collection[str], report: Report) -> None:
    """Tells what is in flight from what is lost."""
    for suspect in suspects:
        (report.in_flight if suspect.subject in explained else report.findings).append(suspect)
