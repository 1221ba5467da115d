"""What all resources share: whose rows, which input, which query parameters, which refusals."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from kafka_shop.api.pagination import Pages
from kafka_shop.api.problems import Conflict
from kafka_shop.api.renderers import Link
from kafka_shop.api.serializers import Strict

UNKNOWN_PARAMETER = ErrorDetail("This query parameter is not known here; leave it out.", code="unknown")
REPEATED_PARAMETER = ErrorDetail("This query parameter is given more than once.", code="repeated")
BLANK_PARAMETER = ErrorDetail("This query parameter has no value; give one, or leave it out.", code="blank")


class ShopViewSet(GenericViewSet[Any]):
    """A resource. Subclasses translate in, make one call of a service or a selector, and translate out."""

    lookup_value_converter = "uuid"
    inputs: ClassVar[Mapping[str, type[Strict]]] = {}  # the body of each action that takes one
    outputs: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}  # the answer of each action that is not the resource itself
    creates: ClassVar[frozenset[str]] = frozenset({"create"})  # the actions that answer with 201
    waits: ClassVar[frozenset[str]] = frozenset()  # the actions that follow `Prefer: wait`
    paged: ClassVar[frozenset[str]] = frozenset({"list"})  # the actions that answer with pages
    links: ClassVar[tuple[Link, ...]] = ()  # for the browsable API: from the resource to what belongs to it
    conflicts: ClassVar[tuple[type[Exception], ...]] = ()  # what a service raises when the state of things refuses: 409

    @property
    def customer(self) -> UUID:
        """Who asks: a customer's id is the user's."""
        return cast(UUID, self.request.user.pk)

    @property
    def owner(self) -> UUID | None:
        """Whose rows this request may see: the customer's own, or None, everybody's, for staff."""
        return None if self.request.user.is_staff else self.customer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is None:
            return  # 405, whatever is asked
        known, blank_is_left_out = self.parameters(), request.accepted_renderer.format == "api"  # a form sends what was left blank
        queries = {name: trouble_of(name in known, values, blank_is_left_out) for name, values in request.query_params.lists()}
        if troubles := {name: [trouble] for name, trouble in queries.items() if trouble}:
            raise ValidationError(troubles)

    def parameters(self) -> set[str]:
        """The query parameters of the action in hand; `format` chooses the browsable API's renderer."""
        if self.action not in self.paged:
            return {"format"}
        filterset = getattr(self, "filterset_class", None) if self.action == "list" else None
        return {"format", *Pages.parameters, *(filterset.base_filters if filterset else ())}

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """That of the action's input; OPTIONS asks for those of the actions at its path, a method each."""
        action = self.action_map[str(self.request.method).lower()] if self.action == "metadata" else self.action
        return self.inputs.get(action or "") or super().get_serializer_class()

    def body(self) -> dict[str, Any]:
        """The request's body, checked. Raises ValidationError."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        body: dict[str, Any] = serializer.validated_data
        return body

    def page(self, rows: QuerySet[Any], out: type[BaseSerializer[Any]]) -> Response:
        """A page of an action's own list."""
        return self.get_paginated_response(out(self.paginate_queryset(rows), many=True).data)

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(Conflict(exc) if isinstance(exc, self.conflicts) else exc)


def trouble_of(known: bool, values: list[Any], blank_is_left_out: bool) -> ErrorDetail | None:
    """What is wrong with a query parameter, whatever its values mean."""
    if not known:
        return UNKNOWN_PARAMETER
    if len(values) > 1:
        return REPEATED_PARAMETER
    return BLANK_PARAMETER if values == [""] and not blank_is_left_out else None
