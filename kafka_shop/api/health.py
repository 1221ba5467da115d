"""/live and /ready, for whoever starts and balances this process."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from kafka_shop.api.problems import Unavailable, answer_later
from kafka_shop.databases import trouble_of, used_aliases


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked: a restart would not mend it."""
    return JsonResponse({})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Every database in use answers and has all migrations. A broker that is away changes nothing for a customer."""
    for alias in used_aliases():
        if trouble := trouble_of(alias):
            return answer_later(request, Unavailable(f"Not ready: {trouble}."))
    return JsonResponse({})
