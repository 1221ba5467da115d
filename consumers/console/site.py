"""The admin site: unfold's, with the console's pages beside the models', and a content security policy of its own (docs/decisions/0016)."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from csp.constants import UNSAFE_EVAL
from csp.decorators import csp_update
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from unfold.sites import UnfoldAdminSite

if TYPE_CHECKING:
    Site = AdminSite
else:
    Site = UnfoldAdminSite  # ships no types

View = Callable[..., HttpResponseBase]
own_policy: Callable[[Any], Any] = csp_update({"script-src": [UNSAFE_EVAL]})  # Alpine.js makes functions of what unfold's templates say


class ConsoleSite(Site):
    """The console. Its front page is the list of applications."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        pages = import_module("consumers.console.urls").urlpatterns  # its views come after the models
        own = [path(str(page.pattern), self.admin_view(page.callback), page.default_args, page.name) for page in pages]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A view for staff only, whose page may do what the console's pages need."""
        return own_policy(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return own_policy(super().login)(request, extra_context)

    def each_context(self, request: HttpRequest) -> Any:
        """What each template gets: no colours, which unfold would write into each page as a style; they are in console.css."""
        return super().each_context(request) | {"colors": None}
