"""Lists in pages that a cursor turns: the same speed and no shifting rows, however long the list."""

import re
from typing import Any

from django.core.exceptions import ValidationError as BadValue
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
PAGE_SIZE = re.compile(r"[1-9][0-9]{0,2}")


class Pages(CursorPagination):
    """{next, previous, results}, newest first, or in the order that the selector gave its rows; the first column of it must be unique."""

    ordering = ("-id",)  # UUIDv7: keys grow with time
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    parameters = frozenset({"cursor", "page_size"})

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self.key = queryset.model._meta.get_field(self.get_ordering(request, queryset, view)[0].lstrip("-"))
        return super().paginate_queryset(queryset, request, view)

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        return tuple(str(name) for name in queryset.query.order_by) or self.ordering

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get(self.page_size_query_param, str(Pages.page_size))
        if not PAGE_SIZE.fullmatch(text) or int(text) > self.max_page_size:
            raise ValidationError({self.page_size_query_param: f"Give a whole number from 1 to {self.max_page_size}."})
        return int(text)

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            if not BASE64.fullmatch(request.query_params.get(self.cursor_query_param) or "AA=="):
                raise BadValue("not base64, of which the decoder leaves out what it does not know")
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                self.check(str(cursor.position))
        except (NotFound, BadValue) as error:
            raise ValidationError(
                {self.cursor_query_param: "This is no cursor of this list; take it from `next` or `previous`."}
            ) from error
        return cursor

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The parameters for the document."""
        cursor = {"type": "string", "minLength": 1, "maxLength": 1000}
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        told = {
            self.cursor_query_param: (cursor, "Taken from `next` or `previous`; without it, the first page."),
            self.page_size_query_param: (size, "How many rows a page has at most."),
        }
        return [
            {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
            for name, (schema, description) in told.items()
        ]

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        """The form of a page for the document."""
        address = {"type": ["string", "null"], "format": "uri"}
        places = {
            "next": address | {"example": "https://shop.example.org/api/v1/orders/?cursor=cD0wMWEyMDZkYQ%3D%3D"},
            "previous": address | {"example": None},
        }
        return {"type": "object", "properties": {**places, "results": schema}, "required": [*places, "results"]}

    def check(self, position: str) -> None:
        """Raises BadValue for a position that the list's key cannot have."""
        self.key.to_python(position)
        if "\0" in position:
            raise BadValue("NUL is no part of a key")
