"""Whether anything is lost or doubled when all is at rest. For a set-up Django."""

import time
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from consumers.audit import audit
from consumers.log_audit import audit_logs
from consumers.positions import Positions
from consumers.routes import ROUTES
from kafka_shop.databases import rows
from kafka_shop.messaging.kafka import BrokerAway, Inspector
from tests.acceptance.findings import findings
from tests.chaos.figures import Figures, Say

PATIENCE_SECONDS = 150.0  # in which nothing moves: longer than the sweep waits
LOOK_SECONDS = 0.2
LOST = """
SELECT wanted.id FROM unnest(%s::uuid[]) AS wanted(id)
LEFT JOIN orders_order AS o ON o.id = wanted.id
WHERE o.id IS NULL OR o.status = 'pending' OR NOT EXISTS (SELECT FROM notify_letter AS l WHERE l.order_id = o.id)
"""
DOUBLED = """
SELECT i.order_id FROM billing_invoice AS i JOIN billing_transfer AS t ON t.invoice_id = i.id
GROUP BY i.order_id, t.kind HAVING count(*) > 1
UNION SELECT order_id FROM notify_letter GROUP BY order_id, outcome HAVING count(*) > 1
"""


def judge(figures: Figures, accepted: Sequence[UUID], say: Say) -> None:
    """Waits until all is at rest, and notes what is lost, doubled or found."""
    figures.problems += settle(figures.counts.get("poisoned messages", 0), say)
    compared = "comparing the logs with the tables: {:,} of {:,} messages".format
    of_logs, figures.counts["messages"] = audit_logs(lambda read, total: say(compared(read, total)))
    found = [*audit(timezone.now()).findings, *of_logs]
    figures.problems += [f"{each.check} {each.subject}: {each.detail}" for each in found]
    figures.accepted = len(accepted)
    figures.lost = len(rows("default", LOST, list(accepted)))
    figures.doubled = len(rows("default", DOUBLED))


def settle(dead_letters: int, say: Say) -> list[str]:
    """Waits as long as something moves; returns what is not as it must be when nothing does any more."""
    before, deadline = [""], 0.0
    while left := unrest(dead_letters):
        say(f"waiting until all is at rest: {left[0]}")
        if left != before:
            before, deadline = left, time.monotonic() + PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            return left
        time.sleep(LOOK_SECONDS)
    return []


def unrest(dead_letters: int) -> list[str]:
    """What is not as it must be at rest, with so many open dead letters."""
    try:
        return [*(f"{name} has not read all of its log" for name in ROUTES if is_behind(name)), *findings(dead_letters)]
    except DatabaseError as error:
        connection.close()
        return [str(error)]


def is_behind(name: str) -> bool:
    """Whether a consumer has something before it; also when the broker does not say."""
    topic, inspector = settings.TOPICS[ROUTES[name].topic], Inspector()
    try:
        known = Positions("default", name, topic).read()
        return any(inspector.watermarks(topic, each).high > known.get(each, 0) for each in inspector.partitions(topic))
    except BrokerAway:
        return True
    finally:
        inspector.close()
