"""Notify's only transactions, and what its handler does inside the engine's."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from kafka_shop.databases import alias_of, columns, run
from kafka_shop.ids import uuid7
from notify import rules
from notify.letters import form_of
from notify.models import Letter

INSERT = """
INSERT INTO notify_letter (id, order_id, customer_id, outcome, subject, body, created_at, partition, "offset")
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::int[], %s::bigint[])
ON CONFLICT (order_id, outcome) DO NOTHING
"""


def write_letters(notices: Sequence[rules.Notice]) -> int:
    """Writes the letters that are not written yet, and returns how many. Inside an open transaction."""
    letters = sorted((_letter(notice) for notice in notices), key=lambda letter: letter[1:4])
    return run(alias_of("notify"), INSERT, *columns(letters, 9)) if letters else 0


def mark_read(*, letter: Letter, now: datetime) -> Letter:
    """Notes when a letter was read first."""
    Letter.objects.filter(id=letter.id, read_at=None).update(read_at=now)
    letter.refresh_from_db(fields=["read_at"])
    return letter


def _letter(notice: rules.Notice) -> tuple[object, ...]:
    subject, body = rules.fill(form_of(settings.LANGUAGE_CODE, notice.outcome, notice.reason), notice)
    return (uuid7(), notice.order_id, notice.customer_id, notice.outcome, subject, body, notice.at, notice.partition, notice.offset)
