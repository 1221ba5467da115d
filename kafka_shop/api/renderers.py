"""JSON, with the media type of what it is."""

from typing import Any

from rest_framework.renderers import JSONRenderer

PROBLEM = "application/problem+json"  # RFC 9457


class ProblemAwareRenderer(JSONRenderer):
    """JSON, which names itself a problem when it is one."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> Any:
        response = (renderer_context or {}).get("response")
        if response and response.exception and response.accepted_renderer is self:  # the browsable API shows JSON in its page
            response["Content-Type"] = PROBLEM
        return super().render(data, accepted_media_type, renderer_context)
