"""Buttons that pause and resume a consumer."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from consumers.console.home import seen
from consumers.ops.wishes import MAY_PAUSE, pause_consumer, resume_consumer
from kafka_shop.users.models import User


@require_POST
def pause(request: HttpRequest, consumer: str) -> HttpResponse:
    """It finishes its batch in hand, and stands still within about a second."""
    user = operator(request, consumer)
    pause_consumer(name=consumer, user=user, now=timezone.now())
    messages.success(request, f"{consumer.capitalize()} is paused. What comes for it waits, and its lag grows.")
    return seen(request)


@require_POST
def resume(request: HttpRequest, consumer: str) -> HttpResponse:
    user = operator(request, consumer)
    if resume_consumer(name=consumer, user=user):
        messages.success(request, f"{consumer.capitalize()} is resumed, and drains its lag.")
    return seen(request)


def operator(request: HttpRequest, consumer: str) -> User:
    """Who asks. Raises PermissionDenied, and Http404 for a consumer that is not served here."""
    if not request.user.has_perm(MAY_PAUSE):
        raise PermissionDenied
    if consumer not in settings.SERVICES:
        raise Http404(f"there is no consumer {consumer} here")
    return cast(User, request.user)
