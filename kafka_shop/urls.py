"""The routes of what this process serves."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from consumers.api import events_path
from kafka_shop.api import health, metrics
from kafka_shop.api.kinds import PAGES
from kafka_shop.api.root import Root
from kafka_shop.staff.base import leave_out


def api(services: Iterable[str]) -> list[Any]:
    """The API's routes: a room a service."""
    rooms = [room for service in services for room in (events_path(service), path(f"{service}/", include(f"{service}.urls")))]
    return [
        path("", Root.as_view(), name="root"),
        path("schema/", SpectacularAPIView.as_view(), name="schema"),
        path("auth/", include("kafka_shop.api.urls")),
        *rooms,
        path("ops/", include("consumers.ops.urls")),
    ]


for service in settings.SERVICE_DATABASES:
    if service not in settings.SERVICES:
        leave_out(admin.site, service)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="root")),
    path("live", health.live),
    path("ready", health.ready),
    path("metrics", metrics.metrics),
    path("admin/", admin.site.urls),
    path("sign-in/", include("rest_framework.urls")),
    path(PAGES.lstrip("/"), include("kafka_shop.api.pages")),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="reference"),
    path("docs/events/", include("consumers.pages")),
    path("api/v1/", include(api(settings.SERVICES))),
]
