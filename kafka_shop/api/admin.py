"""The admin's bases."""

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
else:
    Admin = ModelAdmin  # unfold's ships no types


class ReadOnly(Admin):
    """Tables that only services write: to read, never to write by hand."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def leave_out(site: admin.AdminSite, service: str) -> None:
    """Takes the models of a service that this process does not serve out of an admin: their database is none of its business."""
    for model in apps.get_app_config(service).get_models():
        if site.is_registered(model):
            site.unregister(model)
