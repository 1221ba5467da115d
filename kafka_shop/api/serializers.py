"""The base of every request body."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

UNKNOWN_FIELD = ErrorDetail("This field is not known here; leave it out.", code="unknown")


class Strict(serializers.Serializer[Any]):
    """A JSON object with the declared fields and no others; unknown ones are refused together with what else is wrong."""

    example: ClassVar[Mapping[str, Any]] = {}  # for the document and, as get_initial() makes it fit, for the browsable API

    def get_initial(self) -> dict[str, Any]:
        return dict(self.example)

    def to_internal_value(self, data: Any) -> Any:
        unknown = {str(name): [UNKNOWN_FIELD] for name in data if name not in self.fields} if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**error.detail, **unknown} if isinstance(error.detail, dict) else error.detail) from None
        if unknown:
            raise ValidationError(unknown)
        return value


class Nothing(Strict):
    """No body, or an empty object."""
