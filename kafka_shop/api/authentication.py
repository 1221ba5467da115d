"""Bearer tokens (RFC 6750): found by the primary key that is their hash, in one statement with their user."""

from datetime import datetime
from secrets import compare_digest
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.http import HttpRequest
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from kafka_shop.databases import prepared


def carries(request: HttpRequest, token: str) -> bool:
    """Whether a request carries this bearer token, compared in constant time; an empty one nobody carries."""
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    known = token and scheme.lower() == "bearer" and compare_digest(given.encode(errors="replace"), token.encode())
    return bool(known)


_GOOD = "FROM knox_authtoken JOIN users_user ON users_user.id = user_id WHERE digest = %s AND expiry > {now} AND is_active"
CALLER = f"SELECT users_user.id, is_staff {_GOOD.format(now='%s')}"
IS_STILL_GOOD = f"EXISTS (SELECT {_GOOD} AND user_id = {{user_id}})"  # a part of a statement that acts for a sender who is remembered
MOST_SENDERS = 10_000
_senders: dict[str, UUID] = {}  # by the hash of their token, as this process saw them last


class Caller(NamedTuple):
    """Who sends a token that is good."""

    id: UUID
    is_staff: bool


class Sender(NamedTuple):
    """Who sends a token, and its hash: they are a guess as long as nobody asks whether it IS_STILL_GOOD. Without a hash they are sure."""

    id: UUID
    digest: str


def sender(authorization: str, now: datetime, *, acts_on: str) -> Sender | None:
    """Who sends this header, remembered where the statement that acts for them, on the database `acts_on`, can look again."""
    digest = digest_of(authorization)
    if known := _senders.get(digest):
        return Sender(known, digest)
    found = caller(authorization, now)
    if found is None or acts_on != DEFAULT_DB_ALIAS:
        return found and Sender(found.id, "")
    if len(_senders) > MOST_SENDERS:
        _senders.clear()
    _senders[digest] = found.id
    return Sender(found.id, digest)


def forget(sender: Sender) -> None:
    """Their next request looks them up."""
    _senders.pop(sender.digest, None)


def caller(authorization: str, now: datetime) -> Caller | None:
    """Who sends this header, in one statement; None: nobody, or it takes more to tell."""
    digest = digest_of(authorization)
    try:
        found = prepared(DEFAULT_DB_ALIAS, CALLER, digest, now) if digest else []
    except (OperationalError, InterfaceError):
        connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()
        return None
    return Caller(*found[0]) if found else None


def digest_of(authorization: str) -> str:
    """The hash of the token in a header; "" when there is none, or it takes more to tell."""
    scheme, _, token = authorization.partition(" ")
    return hash_token(token) if scheme == "Bearer" and token.isascii() else ""


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox ships no types
    """`Authorization: Bearer <token>`; a token that is unknown, expired or revoked is 401."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, AuthToken]:
        digest = hash_token(token.decode(errors="replace"))
        found = AuthToken.objects.select_related("user").filter(digest=digest, expiry__gt=timezone.now(), user__is_active=True).first()
        if found is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked. Sign in again.")
        return found.user, found
