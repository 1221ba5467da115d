"""JSON bodies (RFC 8259), read strictly: what other readers guess, drop or round is refused, with a pointer to its place."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ErrorDetail, ParseError, UnsupportedMediaType, ValidationError
from rest_framework.parsers import JSONParser

DEEPEST = 32
LONGEST_NUMBER = 20  # characters: all integers of 64 bits fit


class Refused(NamedTuple):
    """Stands in a parsed body where a value is that must not be."""

    code: str
    detail: str


NOT_A_NUMBER = Refused("not_a_number", "JSON has no NaN and no Infinity.")
TOO_LARGE = Refused("number_too_large", "This number is too large.")
TWICE = Refused("duplicate", "This name is given twice in its object.")
TOO_DEEP = Refused("too_deep", f"A body is at most {DEEPEST} levels deep.")
SURROGATE = Refused("surrogate_characters_not_allowed", "This is half of a surrogate pair, and no character.")
NUL = Refused("null_characters_not_allowed", "The character U+0000 is not allowed.")


class StrictJSONParser(JSONParser):
    """`application/json` in UTF-8, and nothing that looks like it."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        name, parameters = parse_header_parameters(media_type or "")
        if name != self.media_type or parameters.get("charset", "utf-8").lower() != "utf-8":
            raise UnsupportedMediaType(media_type or "")
        return loads(stream.read())


def loads(body: bytes) -> Any:
    """The value of a JSON text. Raises ParseError for what is not JSON in UTF-8, ValidationError for what must not be in a body."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_once, parse_int=_integer, parse_float=_float, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise ParseError("The body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise ParseError("The body is not JSON.") from error
    if refusals := _refusals(value, 1):
        raise ValidationError(refusals)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    times = Counter(name for name, _ in pairs)
    return found | {name: TWICE for name in found if times[name] > 1}


def _integer(text: str) -> int | Refused:
    return int(text) if len(text) <= LONGEST_NUMBER else TOO_LARGE


def _float(text: str) -> float | Refused:
    return number if math.isfinite(number := float(text)) else TOO_LARGE


def _constant(text: str) -> Refused:
    return NOT_A_NUMBER


def _refusals(value: Any, depth: int) -> Any:
    """REST framework's error details of what is refused within a value; nothing when all is well."""
    if refused := _refusal(value, depth):
        return [ErrorDetail(refused.detail, refused.code)]
    if isinstance(value, dict):
        return {name: found for name, each in value.items() if (found := _refusals(name, depth) or _refusals(each, depth + 1))}
    if isinstance(value, list):
        return {index: found for index, each in enumerate(value) if (found := _refusals(each, depth + 1))}
    return None


def _refusal(value: Any, depth: int) -> Refused | None:
    """What is wrong with a value itself."""
    if isinstance(value, Refused):
        return value
    if isinstance(value, str):
        return _trouble(value)
    return TOO_DEEP if isinstance(value, dict | list) and depth > DEEPEST else None


def _trouble(text: str) -> Refused | None:
    if "\0" in text:
        return NUL
    try:
        text.encode()
    except UnicodeEncodeError:
        return SURROGATE
    return None
