"""What many operations of the OpenAPI document have in common: headers, and the form of problems."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from kafka_shop.api.idempotency import HEADER, REPLAYED
from kafka_shop.api.kinds import KINDS
from kafka_shop.api.preferences import LONGEST_SECONDS
from kafka_shop.api.problems import general
from kafka_shop.api.renderers import PROBLEM

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}

KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="The request has its effect once, however often it is sent with this key. Kept for 7 days.",
)
PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description=f"`wait=N`: answer when the order is settled, or after N seconds, {LONGEST_SECONDS} at most (RFC 7240).",
)
ANSWER_HEADERS = {
    "Location": (("POST",), "201", "Where the new resource is."),
    REPLAYED: (("POST",), "2", "true: this answer was given before, to a request with the same key."),
    "Preference-Applied": (("GET", "POST"), "2", "The preference that was followed."),
    "Retry-After": (tuple(UNSAFE | {"GET"}), "503", "Seconds to wait before the request is sent again."),
}


class Error(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="A JSON pointer (RFC 6901) into the body, or to a query parameter; empty: the whole request.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.CharField(help_text="The address of the page that explains this kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(help_text="The path that was asked for.")
    errors = Error(many=True)  # type: ignore[assignment]  # a declared field takes no attribute's place


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """spectacular's POSTPROCESSING_HOOKS: shows each refusal as it looks, each kind of problem once for all operations."""
    result["components"]["examples"] = {kind.name: {"value": general(kind.status, "/api/v1/orders/")} for kind in KINDS}
    for operations in result["paths"].values():
        for operation in operations.values():
            for kind in KINDS:
                if answer := operation["responses"].get(str(kind.status)):
                    answer["content"][PROBLEM]["examples"] = {kind.name: {"$ref": f"#/components/examples/{kind.name}"}}
    return result
