"""The OpenAPI document's source: what a view says of itself, and what all answers have in common. Whatever is said twice would drift."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiFilterExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from kafka_shop.api.idempotency import REPLAYED
from kafka_shop.api.kinds import BY_STATUS
from kafka_shop.api.renderers import PROBLEM
from kafka_shop.api.schema_parts import ANSWER_HEADERS, KEY, PREFER, UNSAFE, Problem
from kafka_shop.api.serializers import Strict
from kafka_shop.money import CURRENCIES, LARGEST

AMOUNT = r"^(0\.0[1-9]|0\.[1-9][0-9]?|[1-9][0-9]{0,8}(\.[0-9]{1,2})?)$"
KEYLESS = ("/auth/", "/events/", "/ops/")


class ShopSchema(AutoSchema):
    """Reads a `ShopViewSet`: `inputs`, `outputs`, `creates`, `waits` and its permissions say it all."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0] or "root"]

    def get_operation_id(self) -> str:
        action = getattr(self.view, "action", None) or self.method.lower()
        return f"{self.get_tags()[0]}_{type(self.view).__name__.removesuffix('ViewSet').removesuffix('View').lower()}_{action}"

    def get_description(self) -> str:  # type: ignore[override]  # as spectacular has it
        action = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        return str((action and action.__doc__) or self.view.__doc__ or "").strip()

    def get_request_serializer(self) -> Any:
        return getattr(self.view, "bodies", None) or getattr(self.view, "inputs", {}).get(getattr(self.view, "action", None))

    def get_response_serializers(self) -> Any:
        return {self._success(): self._output(), **{(str(status), PROBLEM): self._problem(status) for status in sorted(self._refusals())}}

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self._is_paged() and (serializer is None or bool(super()._is_list_view(serializer)))

    def get_examples(self) -> list[OpenApiExample]:
        """A body that is accepted, and what it may be answered with."""
        body, answer = example_of(self.get_request_serializer()), example_of(self._output()) or example_of(self.view)
        found = [OpenApiExample("example", body, request_only=True)] if body is not None else []
        return [*found, OpenApiExample("example", answer, response_only=True, status_codes=[self._success()])] if answer else found

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # as spectacular has it
        strict = direction == "request" and isinstance(force_instance(serializer), Strict)  # type: ignore[no-untyped-call]  # likewise
        return schema | {"additionalProperties": False} if strict else schema

    def _unwrap_list_serializer(self, serializer: Any, direction: Any) -> Any:
        schema: Any = super()._unwrap_list_serializer(serializer, direction)
        bounds = {"minItems": getattr(serializer, "min_length", None), "maxItems": getattr(serializer, "max_length", None)}
        return schema | {name: bound for name, bound in bounds.items() if bound is not None}

    def get_override_parameters(self) -> list[Any]:
        return [*([KEY] if self._takes_key() else []), *([PREFER] if self._waits() else []), *self._answer_headers()]

    def _success(self) -> str:
        action = getattr(self.view, "action", "")
        if action == "destroy" or hasattr(self.view, "bodies"):
            return "204"
        return "201" if action in getattr(self.view, "creates", ()) else "200"

    def _output(self) -> Any:
        action = getattr(self.view, "action", "")
        if self._success() == "204":
            return OpenApiResponse(description="Done.")
        output = getattr(self.view, "outputs", {}).get(action) or getattr(self.view, "serializer_class", None)
        if output is None:
            return OpenApiTypes.OBJECT
        return output(many=True) if self._is_paged() else output

    def _problem(self, status: int) -> OpenApiResponse:
        kind = BY_STATUS[status]
        return OpenApiResponse(Problem, description=f"{kind.title}. {kind.meaning}")

    def _refusals(self) -> set[int]:
        """Every status with which the operation may refuse."""
        found = {400, 406, 500, 503}
        if self.view.get_authenticators():  # a token that is wrong is refused where none is needed, too
            found |= {401}
        if self.method in UNSAFE:
            found |= {401, 403, 413, 415}
        if "/ops/" in self.path:
            found |= {403}
        if "{" in self.path or self._may_be_missing():
            found |= {404}
        if self._takes_key():
            found |= {409, 422}
        if self.path.endswith("/auth/token/") and self.method == "POST":
            found |= {429}
        return found

    def _is_paged(self) -> bool:
        return getattr(self.view, "action", "") in getattr(self.view, "paged", ())

    def _may_be_missing(self) -> bool:
        return self.path.endswith("/auth/users/")

    def _takes_key(self) -> bool:
        return self.method == "POST" and not any(each in self.path for each in KEYLESS)

    def _waits(self) -> bool:
        return getattr(self.view, "action", "") in getattr(self.view, "waits", ())

    def _answer_headers(self) -> Iterator[OpenApiParameter]:
        statuses = {self._success(), *(str(status) for status in self._refusals())}
        for name, (methods, prefix, description) in ANSWER_HEADERS.items():
            meant = [status for status in statuses if status.startswith(prefix)]
            if self.method in methods and meant and self._says(name):
                yield OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=sorted(meant))

    def _says(self, name: str) -> bool:
        return {REPLAYED: self._takes_key(), "Preference-Applied": self._waits(), "Location": self._waits()}.get(name, True)


def example_of(serializer: Any) -> Any:
    """What a serializer, or a view without one, shows of itself, or of each of many; None: nothing."""
    return getattr(getattr(serializer, "child", serializer), "example", None)


class MoneySchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # its registry has no types
    target_class = "kafka_shop.api.fields.Money"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        if direction == "request":
            return {"type": "string", "pattern": AMOUNT, "description": f"Above 0, up to {LARGEST}.", "examples": ["100.00"]}
        return {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "examples": ["100.00"]}


class CurrencySchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # its registry has no types
    target_class = "kafka_shop.api.fields.Currency"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return {"type": "string", "enum": sorted(CURRENCIES), "description": "ISO 4217, with two decimals."}


class BearerSchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry has no types
    target_class = "kafka_shop.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token from `POST auth/token/`."}


class ServiceSchema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry has no types
    target_class = "consumers.api.ServiceAuthentication"
    name = "service"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "`SERVICE_TOKEN`, which the services share."}


FILTERS: dict[str, dict[str, Any]] = {
    "MomentFilter": {"type": "string", "format": "date-time"},
    "IdFilter": {"type": "string", "format": "uuid"},
    "TextFilter": {"type": "string", "minLength": 1, "maxLength": 500},
}


class FilterSchema(OpenApiFilterExtension):  # type: ignore[no-untyped-call]  # its registry has no types
    target_class = "django_filters.rest_framework.DjangoFilterBackend"
    priority = 1

    def get_schema_operation_parameters(self, auto_schema: AutoSchema, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        """Each filter of the list's filter set, by its own type."""
        filterset = getattr(auto_schema.view, "filterset_class", None)
        filters = filterset.base_filters.items() if filterset else ()
        return [{"name": name, "in": "query", "required": False, "schema": self._type(each)} for name, each in filters]

    def _type(self, each: Any) -> dict[str, Any]:
        choices = each.extra.get("choices")
        if choices:
            return {"type": "string", "enum": [value for value, _ in getattr(choices, "choices", choices)]}
        return FILTERS[type(each).__name__]
