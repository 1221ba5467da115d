"""Whether a reader of an old version of an event's schema can still read what a new one describes."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """Every promise of the old schema that the new one does not keep, in words. More fields are fine: readers accept unknown ones."""
    return list(broken(old, new))


def broken(old: Schema, new: Schema, prefix: str = "") -> Iterator[str]:
    for name, field in old.get("properties", {}).items():
        path, now = prefix + name, new.get("properties", {}).get(name)
        if now is None:
            yield f"{path} is gone"
            continue
        if name in old.get("required", []) and name not in new.get("required", []):
            yield f"{path} may be missing"
        yield from (
            f"{path} is no longer {field[what]}" for what in ("type", "format", "pattern") if what in field and field[what] != now.get(what)
        )
        yield from (f"{path} may be {value}" for value in now.get("enum", []) if "enum" in field and value not in field["enum"])
        yield from broken(field.get("items", {}), now.get("items", {}), f"{path}[].")
