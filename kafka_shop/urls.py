"""The routes of what this process serves."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from consumers.api import events_path
from kafka_shop.api import health, problems
from kafka_shop.api.admin import leave_out
from kafka_shop.api.root import Root

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.page_not_found
handler500 = problems.server_error


def api(services: Iterable[str]) -> list[Any]:
    """The API's routes: a room a service, and a last one for everything unknown."""
    rooms = [room for service in services for room in (events_path(service), path(f"{service}/", include(f"{service}.urls")))]
    return [
        path("", Root.as_view(), name="root"),
        path("auth/", include("kafka_shop.api.urls")),
        *rooms,
        re_path("", problems.no_such_path),
    ]


for service in settings.SERVICE_DATABASES:
    if service not in settings.SERVICES:
        leave_out(admin.site, service)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="root")),
    path("live", health.live),
    path("ready", health.ready),
    path("admin/", admin.site.urls),
    path("sign-in/", include("rest_framework.urls")),
    path("api/v1/", include(api(settings.SERVICES))),
    re_path("^api/", problems.no_such_path),
]
