"""`Idempotency-Key`: a POST that is sent again has its effect once, and the same answer.

The key is a row of the effect's own transaction (draft-ietf-httpapi-idempotency-key-header): it is there if and only if the effect is. A
process that dies leaves neither, and a twin that comes meanwhile waits at the row's unique key until the first is through.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from psycopg.errors import LockNotAvailable
from rest_framework.exceptions import APIException, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from kafka_shop.api.models import IdempotencyKey
from kafka_shop.databases import rows, run

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
VISIBLE = re.compile(r"[!-~]{1,255}")
KEPT = timedelta(days=7)
PURGED = 1000  # keys a turn of the sweep
KEPT_HEADERS = ("Location",)
WAIT = "SET LOCAL lock_timeout = '5s'"
TAKE = """INSERT INTO api_idempotencykey (owner, key, path, fingerprint, created_at) VALUES (%s, %s, %s, %s, %s)
          ON CONFLICT (owner, key) DO NOTHING RETURNING id"""
# a part of a statement that is the whole effect of what is in `asked`: its key with the answer. A twin in flight soon ends the statement.
TAKEN = """taken AS (
    INSERT INTO api_idempotencykey (owner, key, path, fingerprint, created_at, status, headers, body)
    SELECT %s, %s, %s, %s, %s, %s, %s::jsonb, %s FROM asked WHERE set_config('lock_timeout', '50ms', true) <> ''
    ON CONFLICT (owner, key) DO NOTHING RETURNING id
)"""
KEEP = "UPDATE api_idempotencykey SET status = %s, headers = %s::jsonb, body = %s WHERE id = %s"
PURGE = """DELETE FROM api_idempotencykey WHERE id IN
           (SELECT id FROM api_idempotencykey WHERE created_at < %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)"""


class Reused(APIException):
    """The key belongs to another request (422)."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = f"This {HEADER} was used for another path or another body. Take a new one for a new request."
    default_code = "idempotency_key_reused"


class InFlight(APIException):
    """A request with this key is still being worked on (409)."""

    status_code = HTTPStatus.CONFLICT
    default_detail = f"A request with this {HEADER} is still being worked on. Send this one again in a moment."
    default_code = "idempotency_key_in_flight"


class View(Protocol):
    """What an idempotent action needs of its view."""

    @property
    def customer(self) -> UUID: ...

    def get_queryset(self) -> QuerySet[Any]: ...


Action = Callable[..., Response]


def idempotent(action: Action) -> Action:
    """An action whose effect comes once for each key of a caller; without the header nothing changes.

    Raises ParseError for a header that is no key, Reused for a key of another request, InFlight when a twin takes longer than 5 s.
    """

    @wraps(action)
    def once(view: View, request: Request, *args: Any, **kwargs: Any) -> Response:
        if HEADER not in request.headers:
            return action(view, request, *args, **kwargs)
        key = Key(view.customer, key_of(request), request.path, fingerprint(request.data))
        alias = view.get_queryset().db
        with transaction.atomic(using=alias):
            taken = take(alias, key, timezone.now())
            if taken is None:
                return replay(alias, key)
            response = action(view, request, *args, **kwargs)
            keep(alias, taken, response)
        return response

    return once


class Answer(NamedTuple):
    """A key, the request that it stands for, and the answer to that: what TAKEN stores."""

    owner: UUID
    key: str
    path: str
    fingerprint: str
    created_at: datetime
    status: int
    headers: str  # JSON
    body: str  # JSON


class Key:
    """A key and the request that it stands for."""

    def __init__(self, owner: UUID, key: str, path: str, fingerprint: str) -> None:
        self.owner, self.key, self.request = owner, key, (path, fingerprint)


def key_of(request: Request) -> str:
    """The header's value. Raises ParseError."""
    value = request.headers[HEADER]
    if not VISIBLE.fullmatch(value):
        raise ParseError(f"{HEADER} is not 1 to 255 visible ASCII characters.")
    return str(value)


def fingerprint(body: Any) -> str:
    """What two bodies have in common that say the same: order and spaces do not count."""
    return sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def take(alias: str, key: Key, now: datetime) -> int | None:
    """The number of a new key's row, or None when it is known. Waits for a twin; raises InFlight."""
    run(alias, WAIT)
    try:
        taken = rows(alias, TAKE, key.owner, key.key, *key.request, now)
    except OperationalError as error:
        raise InFlight if isinstance(error.__cause__, LockNotAvailable) else error from error
    return int(taken[0][0]) if taken else None


def keep(alias: str, taken: int, response: Response) -> None:
    """Stores the answer with its key."""
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    body = JSONRenderer().render(response.data).decode()
    run(alias, KEEP, response.status_code, json.dumps(headers), body, taken)


def replay(alias: str, key: Key) -> Response:
    """The stored answer. Raises Reused."""
    known = IdempotencyKey.objects.using(alias).get(owner=key.owner, key=key.key)
    if (known.path, known.fingerprint) != key.request:
        raise Reused
    return Response(json.loads(known.body), status=known.status, headers={**known.headers, REPLAYED: "true"})


def purge(alias: str, before: datetime, limit: int) -> int:
    """Forgets at most `limit` keys from before a time, oldest first. Returns how many."""
    return run(alias, PURGE, before, limit)


@dataclass(frozen=True)
class OldKeys:
    """The keys of a database from before a time."""

    alias: str
    before: datetime

    def count(self) -> int:
        return IdempotencyKey.objects.using(self.alias).filter(created_at__lt=self.before).count()

    def step(self, limit: int) -> int | None:
        """Deletes the oldest `limit`; returns how many, None when there are none."""
        return purge(self.alias, self.before, limit) or None
