"""The bases of the models' pages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from kafka_shop.staff.lists import CappedPaginator, StaffList
from kafka_shop.staff.searching import Searched

if TYPE_CHECKING:
    UnfoldAdmin = admin.ModelAdmin[Any]
    UnfoldInline = admin.TabularInline[Any, Any]
else:
    UnfoldAdmin, UnfoldInline = ModelAdmin, TabularInline  # unfold ships no types; Django's take their parameter in the stubs only


class Admin(UnfoldAdmin):
    """Lists that answer at once whatever the size of the table."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.ALWAYS
    list_per_page = 25
    list_max_show_all = 0
    list_disable_select_all = True
    list_fullwidth = True
    list_before_template: str | None = "staff/periods.html"
    sortable_by = ()  # by a column without an index the whole table would be sorted
    searched: Searched | None = None
    unlisted: Sequence[str] = ()  # long columns, that a list does not read

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StaffList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.unlisted)

    def get_search_fields(self, request: HttpRequest) -> list[str] | tuple[str, ...]:
        """Whether there is a search at all; `searched` says by what."""
        return [*self.searched.texts, *self.searched.ids] if self.searched else super().get_search_fields(request)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        if not self.searched:
            return super().get_search_results(request, queryset, search_term)
        return (self.searched.find(queryset, search_term) if search_term.strip() else queryset), False


class ReadOnly(Admin):
    """Tables that only services write: to read, never to write by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(UnfoldInline):
    """Rows within their owner's page: who may see that may see them."""

    extra = max_num = 0
    hide_title = True  # the columns say what a row is
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def leave_out(site: admin.AdminSite, service: str) -> None:
    """Takes the models of a service that this process does not serve out of an admin: their database is none of its business."""
    for model in apps.get_app_config(service).get_models():
        if site.is_registered(model):
            site.unregister(model)
