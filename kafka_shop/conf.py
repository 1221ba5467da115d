"""Reads the environment (and `.env`), once, and collects what is wrong with it.

Nothing raises here: a wrong or missing value becomes a `Problem`, and `checks.py` shows all of them at once with the setting's name.
"""

import json
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ

from kafka_shop.money import CURRENCIES

BASE_DIR = Path(__file__).resolve().parent.parent
SERVICES = ("orders", "billing", "notify")


@dataclass(frozen=True)
class Problem:
    """A setting that is wrong: the check's id, the setting's name, what is the matter, and the remedy."""

    id: str
    setting: str
    message: str
    hint: str


class Environment:
    """Typed access to the environment. A value that cannot be used is noted in `problems` and replaced by its default."""

    def __init__(self, dotenv: Path | None = None) -> None:
        if dotenv is not None and dotenv.is_file():
            environ.Env.read_env(str(dotenv))
        self.problems: list[Problem] = []

    def complain(self, id: str, setting: str, message: str, hint: str) -> None:
        self.problems.append(Problem(f"shop.{id}", setting, f"{setting} {message}", hint))

    def text(self, name: str, default: str = "") -> str:
        return os.environ.get(name, "").strip() or default

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name, str(default)).lower()
        if value not in {"true", "on", "1", "yes", "false", "off", "0", "no"}:
            self.complain("E001", name, f"is {value!r}, not true or false", f"Set {name}=true or {name}=false.")
            return default
        return value in {"true", "on", "1", "yes"}

    def integer(self, name: str, default: int, *, least: int = 1, most: int = sys.maxsize) -> int:
        value = self.text(name, str(default))
        number = whole(value)
        if number is None or not least <= number <= most:
            self.complain("E002", name, f"is {value!r}, not a whole number from {least} to {most}", f"Set {name}={default}.")
            return default
        return number

    def share(self, name: str, default: float) -> float:
        value = self.text(name, str(default))
        try:
            share = float(value)
        except ValueError:
            share = -1.0
        if not 0 < share <= 1:
            self.complain("E003", name, f"is {value!r}, not a share above 0 and up to 1", f"Set {name}={default}.")
            return default
        return share

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        value, known = self.text(name, default), tuple(choices)
        if value not in known:
            self.complain("E004", name, f"is {value!r}, not one of {', '.join(known)}", f"Set {name}={default}.")
            return default
        return value

    def names(self, name: str, default: str = "", among: Iterable[str] = ()) -> list[str]:
        """A comma-separated list; with `among`, only these names are allowed and at least one must be given."""
        values, known = [part.strip() for part in self.text(name, default).split(",") if part.strip()], tuple(among)
        if known and (not values or not set(values) <= set(known)):
            self.complain("E005", name, f"is {','.join(values)!r}, not a list of {', '.join(known)}", f"Set {name}={default}.")
            return default.split(",")
        return values

    def folder(self, name: str, default: Path) -> Path:
        """A folder, which need not be there yet; a relative one is of the project."""
        path = BASE_DIR / self.text(name) if self.text(name) else default
        if path.exists() and not path.is_dir():
            self.complain("E009", name, f"is {str(path)!r}, not a folder", f"Set {name} to a folder, or leave it out.")
            return default
        return path

    def json_object(self, name: str) -> dict[str, Any]:
        value = self.text(name, "{}")
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            self.complain("E006", name, "is not a JSON object", f"""Set {name}='{{"security.protocol": "SSL"}}', or leave it out.""")
            return {}
        return parsed

    def milliseconds_range(self, name: str, default: str) -> tuple[int, int]:
        """A range such as `100..30000`: the first and the longest pause, in milliseconds."""
        first, longest = pair(self.text(name, default))
        if not 0 < first <= longest:
            self.complain("E007", name, "is not a range of milliseconds", f"Set {name}={default}.")
            return pair(default)
        return first, longest

    def currency(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if value not in CURRENCIES:
            wrong = f"is {value!r}, not the ISO 4217 code of a currency with two decimals"
            self.complain("E008", name, wrong, f"Set {name}={default}.")
            return default
        return value

    def required(self, name: str, *, when: bool, why: str, hint: str) -> str:
        """The value, or "" with a complaint when it is missing although `when` holds."""
        value = self.text(name)
        if when and not value:
            self.complain("E010", name, f"is missing: {why}", hint)
        return value

    def database(self, name: str, embedded: Mapping[str, Any]) -> dict[str, Any] | None:
        """Django's settings of the PostgreSQL that the URL in `name` names, or None when it is not set.

        The host `embedded` stands for the server whose settings are given.
        """
        url = self.text(name)
        if not url:
            return None
        try:
            with warnings.catch_warnings(action="error"):  # of another scheme, with the URL and its password in it
                parsed: dict[str, Any] = environ.Env.db_url_config(url)
        except (ValueError, UserWarning, environ.ImproperlyConfigured):
            parsed = {}
        if parsed.get("ENGINE") != "django.db.backends.postgresql" or not parsed.get("NAME"):
            self.complain("E011", name, "is not a PostgreSQL URL", f"Set {name}=postgres://user:password@host:5432/name.")
            return None
        return {**embedded, "NAME": parsed["NAME"]} if parsed["HOST"] == "embedded" else parsed


def read_environment() -> Environment:
    """The environment, with `.env` below it unless tests forbid that."""
    return Environment(None if os.environ.get("SHOP_IGNORE_DOTENV") else BASE_DIR / ".env")


def folders(env: Environment) -> tuple[Path, Path]:
    """VAR_DIR and HEARTBEAT_DIR."""
    var = BASE_DIR / env.text("VAR_DIR", "var")
    return var, env.folder("HEARTBEAT_DIR", var / "heartbeats")


def whole(text: str) -> int | None:
    """The number that a short row of digits is."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def pair(text: str) -> tuple[int, int]:
    """The two numbers of `100..30000`; 0 stands for what is none."""
    first, _, last = text.partition("..")
    return whole(first) or 0, whole(last) or 0


def service_databases(default: dict[str, Any], own: dict[str, dict[str, Any] | None]) -> tuple[dict[str, Any], dict[str, str]]:
    """DATABASES and the alias of each service. Equal databases are one alias, so that one relay serves them and no lock meets itself."""
    databases: dict[str, dict[str, Any]] = {"default": default}
    aliases: dict[str, str] = {}
    for service, config in own.items():
        same = next((alias for alias, known in databases.items() if config in (None, known)), None)
        aliases[service] = same or service
        if same is None and config is not None:
            databases[service] = config
    return databases, aliases
