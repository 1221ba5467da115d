"""The Compose files as Compose reads them: merged, with their variables' defaults filled in."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = ("docker-compose.yml", "compose.http.yml")
SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text())  # github.com/compose-spec/compose-go 2.16.2, Apache-2.0
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@cache
def read(file: str) -> dict[str, Any]:
    """A file's content, merge keys resolved."""
    text = VARIABLE.sub(lambda match: match[2] or "", (ROOT / file).read_text())
    content: dict[str, Any] = yaml.safe_load(text)
    return content


@dataclass(frozen=True)
class Service:
    """One service of a file."""

    file: str
    name: str
    content: dict[str, Any]

    @property
    def is_ours(self) -> bool:
        return str(self.content["image"]).startswith("kafka-shop:")

    @property
    def environment(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.content.get("environment", {}).items()}

    def __str__(self) -> str:
        return f"{self.file}:{self.name}"


def services() -> list[Service]:
    """All services of all files."""
    return [Service(file, name, content) for file in FILES for name, content in read(file)["services"].items()]
