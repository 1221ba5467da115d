"""/live and /ready, for whoever starts and balances this process."""

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from kafka_shop.api.problems import Unavailable, answer_later
from kafka_shop.databases import lacking_apps, rows, used_aliases

_migrated: set[str] = set()  # seen with all its migrations; a process never needs more than it started with


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is asked: a restart would not mend it."""
    return JsonResponse({})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Every database in use answers and has all migrations. A broker that is away changes nothing for a customer."""
    for alias in used_aliases():
        if trouble := trouble_of(alias):
            return answer_later(request, Unavailable(trouble))
    return JsonResponse({})


def trouble_of(alias: str) -> str:
    """What keeps a database from being used; "" when nothing does."""
    try:
        rows(alias, "SELECT 1")
        if alias not in _migrated and lacking_apps(alias):
            return f"The database {alias!r} lacks migrations. Run `python manage.py migrate_all`."
    except DatabaseError:
        return f"The database {alias!r} is not reachable."
    _migrated.add(alias)
    return ""
