"""Who a name and a password stand for, by API or by form: guessing is slow."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils import timezone

from kafka_shop.users import attempts
from kafka_shop.users.models import User


class ThrottledBackend(ModelBackend):
    """Django's users. Raises TooManyFailures."""

    def authenticate(self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any) -> Any:
        if username is None or password is None:
            return None
        name = User.normalize_username(username)
        address = client_address(request) if request else ""
        authenticate = super().authenticate
        return attempts.limited(lambda: authenticate(request, name, password), of=f"{address} {name}", now=timezone.now())


def client_address(request: HttpRequest) -> str:
    """Where a request comes from, behind so many trusted proxies, each of which adds who called it to X-Forwarded-For."""
    told = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    hops: list[str] = [*filter(None, told), request.META["REMOTE_ADDR"]]
    return hops[-1 - min(settings.TRUSTED_PROXIES, len(hops) - 1)]
