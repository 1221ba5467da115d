"""How the console looks and what its sidebar leads to. UNFOLD in the settings names these functions; unfold calls them for each page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

PAGES = [
    ("Overview", "home", "admin:index"),
    ("Order trace", "route", "admin:find_order"),
    ("Dead letters", "mark_email_unread", "admin:dead_letter_desk"),
]
OUTSIDE = [
    ("API", "api", "root"),
    ("API reference", "menu_book", "reference"),
    ("Events", "schema", "events"),
    ("Problems", "help", "problems"),
]
APPS = {
    "orders": "shopping_cart",
    "billing": "account_balance",
    "notify": "mail",
    "consumers": "moving",
    "messaging": "outbox",
    "users": "group",
    "knox": "key",
    "api": "fingerprint",
    "auth": "groups",
    "admin": "history",
}
TITLES = {"api": "Requests", "knox": "Tokens", "auth": "Groups"}  # of apps whose names say little


def styles(request: HttpRequest) -> str:
    return static("console/console.css")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: the console's pages, the models that this person may see, what lies outside of the console."""
    apps = [_application(app) for app in admin.site.get_app_list(request)]
    return [{"items": _reachable(PAGES)}, *apps, {"title": "Elsewhere", "separator": True, "items": _reachable(OUTSIDE)}]


def _application(app: dict[str, Any]) -> dict[str, Any]:
    icon = APPS.get(app["app_label"], "table")
    items = [_item(model["name"], icon, model["admin_url"]) for model in app["models"]]
    return {"title": TITLES.get(app["app_label"], capfirst(app["name"])), "collapsible": True, "items": items}


def _reachable(pages: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """The pages that this process serves."""
    found = []
    for title, icon, name in pages:
        try:
            found.append(_item(title, icon, reverse(name)))
        except NoReverseMatch:
            continue
    return found


def _item(title: str, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}
