"""The console's own pages, by their paths under /admin/. Only staff see them; their names are in the site's namespace: `admin:NAME`."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
