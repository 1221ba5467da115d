"""JSON, with the media type of what it is, and the pages of the browsable API."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer

PROBLEM = "application/problem+json"  # RFC 9457
WITH_LINKS = frozenset({"list", "retrieve", "create", "cancel", "pay", "read"})  # the actions that answer with the resource itself


class ProblemAwareRenderer(JSONRenderer):
    """JSON, which names itself a problem when it is one."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        response = (renderer_context or {}).get("response")
        if response and response.exception and response.accepted_renderer is self:  # the browsable API shows JSON in its page
            response["Content-Type"] = PROBLEM
        return super().render(data, accepted_media_type, renderer_context)


class Link(NamedTuple):
    """Leads from a resource to what belongs to it: the value of `field` as the id of a route, or as a filter of a list."""

    label: str
    route: str
    field: str
    filter: str = ""

    def address(self, row: dict[str, Any]) -> str:
        """Raises NoReverseMatch when this process does not serve what it leads to."""
        if self.filter:
            return f"{reverse(self.route)}?{urlencode({self.filter: row[self.field]})}"
        return reverse(self.route, args=[row[self.field]])


class BrowsableRenderer(BrowsableAPIRenderer):
    """Pages with links from each resource to those that belong to it."""

    def get_context(self, data: Any, accepted_media_type: str | None, renderer_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        view, response = renderer_context["view"], renderer_context["response"]
        linked = not response.exception and getattr(view, "action", None) in WITH_LINKS
        context["related"] = list(related(data, getattr(view, "links", ()))) if linked else []
        return context


def related(data: Any, links: tuple[Link, ...]) -> Iterator[dict[str, Any]]:
    """The links of each resource in an answer, with its id."""
    for row in data.get("results", [data]) if links else []:
        yield {"id": row["id"], "links": [(link.label, address) for link in links if (address := served(link, row))]}


def served(link: Link, row: dict[str, Any]) -> str:
    """Where a link leads; "" when another process serves that."""
    try:
        return link.address(row)
    except NoReverseMatch:
        return ""
