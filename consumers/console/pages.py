"""What the console's own pages share."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from consumers.ops.finding import IDENTIFIER


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> TemplateResponse:
    """A page inside the admin's frame. `title` is its heading."""
    return TemplateResponse(request, f"console/{template}", {**admin.site.each_context(request), **context}, status=status)


def of_all(group: Mapping[str, Any]) -> dict[str, Any]:
    """A group of dead letters that failed alike, without the ids in its reason: they are those of one of them."""
    return {**group, "reason": IDENTIFIER.sub("…", group["reason"])}


def absent(request: HttpRequest, id: UUID) -> TemplateResponse:
    """No dead letter has this id here."""
    return page(request, "absent.html", status=404, title="Dead letter", id=id, served=settings.SERVICES)
