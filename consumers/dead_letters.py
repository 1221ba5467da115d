"""Messages that cannot be applied: kept as they came, with the reason, in the transaction that passes over them."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from django.conf import settings

from consumers.positions import Claim, Positions
from consumers.reading import OVER_HTTP, Item
from kafka_shop.databases import columns, rows, run
from kafka_shop.ids import uuid7
from kafka_shop.tracing import trace_id

log = structlog.get_logger("consumers")

FLOOD_WINDOW = 200  # messages of a partition
LONGEST_REASON = 500  # characters
ORDER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # a subject of any other form may hold anything

WRITE = """
INSERT INTO consumers_deadletter AS d (id, consumer, identity, topic, partition, "offset", key, value, headers,
    log, event_type, subject, reason, fingerprint, attempts, failed_at, outcome)
SELECT m.id, %s, m.identity, %s, m.partition, m."offset", m.key, m.value, m.headers::jsonb,
    m.log, m.event_type, m.subject, m.reason, m.fingerprint, m.attempts, %s, ''
FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::bigint[], %s::bytea[], %s::bytea[], %s::text[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[])
    AS m(id, identity, partition, "offset", key, value, headers, log, event_type, subject, reason, fingerprint, attempts)
ORDER BY m.identity
ON CONFLICT (consumer, identity) DO UPDATE SET
    partition = excluded.partition, "offset" = excluded."offset", log = excluded.log,
    reason = excluded.reason, fingerprint = excluded.fingerprint, attempts = d.attempts + excluded.attempts, failed_at = excluded.failed_at,
    closed_at = CASE WHEN d.outcome = 'discarded' THEN d.closed_at END,
    outcome = CASE WHEN d.outcome = 'discarded' THEN d.outcome ELSE '' END
"""

COUNT = """
SELECT coalesce(max(failed), 0) FROM (
    SELECT count(*) OVER (ORDER BY "offset" RANGE BETWEEN %s::bigint PRECEDING AND CURRENT ROW) AS failed
    FROM consumers_deadletter
    WHERE consumer = %s AND topic = %s AND partition = %s AND log = %s AND "offset" BETWEEN %s AND %s AND closed_at IS NULL
) AS windows
"""

CLOSE = """
UPDATE consumers_deadletter SET closed_at = %s, outcome = 'applied' WHERE consumer = %s AND closed_at IS NULL AND identity = ANY(%s)
"""


class Flooded(Exception):
    """Too many of a partition's last messages failed: the fault is the deployment's, not the messages'."""


def write(positions: Positions, items: Sequence[Item], claims: Mapping[int, Claim], now: datetime) -> None:
    """Writes refused messages, inside the open transaction. Raises Flooded, before anything of it is committed."""
    if not items:
        return
    letters = {identity(positions.topic, item, claims[item.record.partition]): item for item in items}
    records = [row(name, item, claims[item.record.partition].log.name) for name, item in sorted(letters.items())]
    run(positions.alias, WRITE, positions.consumer, positions.topic, now, *columns(records, 13))
    for partition in {item.record.partition for item in items}:
        check_flood(positions, claims[partition], [item.record.offset for item in items if item.record.partition == partition])


def tell(consumer: str, items: Sequence[Item]) -> None:
    """A log line for each refused message of a batch that was committed, with its order and its trace as far as it tells them."""
    for item in items:
        if item.refusal:
            place = {"partition": item.record.partition, "offset": item.record.offset}
            log.error("dead letter", consumer=consumer, **place, **known_ids(item), reason=item.refusal)


def known_ids(item: Item) -> dict[str, str]:
    """The ids by which a message is found in the logs of other services."""
    if item.envelope is None:
        return {}
    subject = item.envelope.subject if ORDER_ID.fullmatch(item.envelope.subject) else ""
    ids = {"order_id": subject, "trace_id": trace_id(item.envelope.traceparent)}
    return {name: id for name, id in ids.items() if id}


def check_flood(positions: Positions, claim: Claim, offsets: Sequence[int]) -> None:
    """Counts the log's open dead letters in every window that ends in `offsets`; the count survives restarts. Raises Flooded."""
    place = positions.consumer, positions.topic, claim.partition, claim.log.name
    [(failed,)] = rows(positions.alias, COUNT, FLOOD_WINDOW - 1, *place, offsets[0] - FLOOD_WINDOW, offsets[-1])
    if failed > FLOOD_WINDOW * settings.FLOOD_SHARE:
        raise Flooded(
            f"{positions.consumer}: more than {settings.FLOOD_SHARE:.0%} of the last {FLOOD_WINDOW} messages of partition "
            f"{claim.partition} failed: mend the cause, then start again, or replay or discard the open dead letters"
        )


def close_applied(positions: Positions, items: Sequence[Item], now: datetime) -> None:
    """An event that is applied closes the dead letter that it once was."""
    if items:
        run(positions.alias, CLOSE, now, positions.consumer, [item.envelope.id for item in items if item.envelope])


def identity(topic: str, item: Item, claim: Claim) -> str:
    """What makes a dead letter one: the event's id, else where it lies, in which log; what came over HTTP lies nowhere, so its SHA-256."""
    if item.envelope:
        return item.envelope.id
    if item.record.partition == OVER_HTTP:
        return f"sha256:{hashlib.sha256(item.record.value or b'').hexdigest()}"
    return f"{claim.log.name}/{topic}[{item.record.partition}]@{item.record.offset}"


def row(identity: str, item: Item, log: str) -> tuple[object, ...]:
    record, envelope = item.record, item.envelope
    key = envelope.partitionkey.encode() if envelope and record.partition == OVER_HTTP else record.key
    headers = json.dumps([[storable(name), storable((value or b"").decode("latin-1"))] for name, value in record.headers])
    kind, subject = (envelope.type, envelope.subject) if envelope else ("", "")
    return (
        uuid7(), identity, record.partition, record.offset, key, record.value, headers,
        log, kind, subject, storable(item.refusal)[:LONGEST_REASON], fingerprint(item.refusal, kind), max(item.attempts, 1),
    )  # fmt: skip


def storable(text: str) -> str:
    """PostgreSQL takes no NUL in a text: it is kept as U+FFFD."""
    return text.replace("\0", "\ufffd")


def fingerprint(reason: str, kind: str) -> str:
    """Groups what failed alike: the reason without ids and numbers."""
    shape = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+", "#", reason)
    return hashlib.sha256(f"{kind} {shape}".encode()).hexdigest()[:16]
