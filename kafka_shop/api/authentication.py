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


CALLER = """
SELECT users_user.id, is_staff FROM knox_authtoken JOIN users_user ON users_user.id = user_id
WHERE digest = %s AND expiry > %s AND is_active
"""


class Caller(NamedTuple):
    """Who sends a token that is good."""

    id: UUID
    is_staff: bool


def caller(authorization: str, now: datetime) -> Caller | None:
    """Who sends this header, in one statement; None: nobody, or it takes more to tell."""
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or not token.isascii():
        return None
    try:
        found = prepared(DEFAULT_DB_ALIAS, CALLER, hash_token(token), now, shows_health=True)
    except (OperationalError, InterfaceError):
        connections[DEFAULT_DB_ALIAS].close_if_unusable_or_obsolete()
        return None
    return Caller(*found[0]) if found else None


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox ships no types
    """`Authorization: Bearer <token>`; a token that is unknown, expired or revoked is 401."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, AuthToken]:
        digest = hash_token(token.decode(errors="replace"))
        found = AuthToken.objects.select_related("user").filter(digest=digest, expiry__gt=timezone.now(), user__is_active=True).first()
        if found is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked. Sign in again.")
        return found.user, found
