"""The console's own pages, by their paths under /admin/. Only staff see them; their names are in the site's namespace: `admin:NAME`."""

from django.conf import settings
from django.urls import URLPattern, path

from consumers.console import desk, home, trace, try_it, wishes

urlpatterns: list[URLPattern] = [
    path("", home.home, name="index"),
    path("console/live/", home.live, name="live"),
    path("console/consumers/<str:consumer>/pause/", wishes.pause, name="pause_consumer"),
    path("console/consumers/<str:consumer>/resume/", wishes.resume, name="resume_consumer"),
    *desk.urlpatterns,
    *trace.urlpatterns,
    *(try_it.urlpatterns if settings.DEMO else []),
]
