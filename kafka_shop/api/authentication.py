"""Bearer tokens (RFC 6750): found by the primary key that is their hash, in one statement with their user."""

from secrets import compare_digest
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed


def carries(request: HttpRequest, token: str) -> bool:
    """Whether a request carries this bearer token, compared in constant time; an empty one nobody carries."""
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    known = token and scheme.lower() == "bearer" and compare_digest(given.encode(errors="replace"), token.encode())
    return bool(known)


class BearerAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox ships no types
    """`Authorization: Bearer <token>`; a token that is unknown, expired or revoked is 401."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, AuthToken]:
        digest = hash_token(token.decode(errors="replace"))
        found = AuthToken.objects.select_related("user").filter(digest=digest, expiry__gt=timezone.now(), user__is_active=True).first()
        if found is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked. Sign in again.")
        return found.user, found
