"""What the console's own pages share."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse

MAY_LOOK, MAY_REPLAY, MAY_DISCARD = (f"consumers.{action}_deadletter" for action in ("view", "replay", "discard"))


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> TemplateResponse:
    """A page inside the admin's frame. `title` is its heading."""
    return TemplateResponse(request, f"console/{template}", {**admin.site.each_context(request), **context}, status=status)
