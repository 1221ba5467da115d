"""Notify's only transactions, and what its handler does inside the engine's."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from kafka_shop.databases import alias_of, columns, limited_transaction, run
from kafka_shop.ids import uuid7
from notify import rules
from notify.letters import form_of
from notify.models import Letter

INSERT = """
INSERT INTO notify_letter (id, order_id, customer_id, outcome, subject, body, created_at, partition, "offset")
SELECT id, order_id, customer_id, outcome, subject, body, created_at, partition, "offset"
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::int[], %s::bigint[],
    %s::timestamptz[]) AS told(id, order_id, customer_id, outcome, subject, body, created_at, partition, "offset", settled_at)
WHERE settled_at >= coalesce((SELECT kept_since FROM notify_horizon), '-infinity')
ON CONFLICT (order_id, outcome) DO NOTHING
"""
# whoever writes letters now is waited for; who comes later sees the horizon
NO_WRITERS = "LOCK TABLE notify_letter IN SHARE ROW EXCLUSIVE MODE"
RAISE_HORIZON = """
INSERT INTO notify_horizon AS horizon (id, kept_since) VALUES (true, %s)
ON CONFLICT (id) DO UPDATE SET kept_since = greatest(horizon.kept_since, excluded.kept_since)
"""


def write_letters(notices: Sequence[rules.Notice]) -> int:
    """Writes the letters that are not written yet and not before the horizon, and returns how many. Inside an open transaction."""
    letters = sorted((_letter(notice) for notice in notices), key=lambda letter: letter[1:4])
    return run(alias_of("notify"), INSERT, *columns(letters, 10)) if letters else 0


def raise_horizon(*, to: datetime) -> None:
    """Lets no letter come any more of an end before `to`: those that were written before it may then be deleted. It never goes back."""
    alias = alias_of("notify")
    with limited_transaction(alias):
        run(alias, NO_WRITERS)
        run(alias, RAISE_HORIZON, to)


def mark_read(*, letter: Letter, now: datetime) -> Letter:
    """Notes when a letter was read first."""
    Letter.objects.filter(id=letter.id, read_at=None).update(read_at=now)
    letter.refresh_from_db(fields=["read_at"])
    return letter


def _letter(notice: rules.Notice) -> tuple[object, ...]:
    subject, body = rules.fill(form_of(settings.LANGUAGE_CODE, notice.outcome, notice.reason), notice)
    return (uuid7(), *notice[:3], subject, body, notice.at, notice.partition, notice.offset, notice.settled_at)
