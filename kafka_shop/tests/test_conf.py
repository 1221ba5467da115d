"""Reading the environment: typed, with defaults, and never an exception."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafka_shop.conf import Environment, service_databases

EMBEDDED = {"ENGINE": "django.db.backends.postgresql", "HOST": "/var/shop", "NAME": "shop", "USER": "postgres"}
POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "n", "USER": "u", "PASSWORD": "p", "HOST": "h", "PORT": ""}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Environment]:
    """An environment in which X has a value."""

    def set_x(value: str) -> Environment:
        monkeypatch.setenv("X", value)
        return Environment()

    return set_x


Setter = Callable[[str], Environment]


@pytest.mark.parametrize(
    ("value", "flag"),
    [("true", True), ("ON", True), ("1", True), ("Yes", True), ("false", False), ("off", False), ("0", False), ("no", False), ("", True)],
)
def test_a_flag_takes_the_usual_words_and_empty_is_the_default(environment: Setter, value: str, flag: bool) -> None:
    assert environment(value).flag("X", True) is flag


@pytest.mark.parametrize("value", ["$ecret", "a$b", "\\$x", "#x", "a b", "a=b", "'a'"])
def test_a_text_is_what_it_is(environment: Setter, value: str) -> None:
    assert environment(value).text("X") == value


def test_a_text_of_blanks_is_the_default(environment: Setter) -> None:
    assert environment("  ").text("X", "default") == "default"
    assert Environment().text("NO_SUCH_NAME", "default") == "default"


def test_names_are_split_and_trimmed(environment: Setter) -> None:
    assert environment(" a.example , b.example,").names("X") == ["a.example", "b.example"]
    assert environment("").names("X") == []


def test_a_range_is_two_numbers(environment: Setter) -> None:
    assert environment("5..5").milliseconds_range("X", "1..2") == (5, 5)


def test_a_dotenv_file_fills_in_what_the_environment_does_not_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("X=file\nY='$y # y'\n# Z=z\n")
    monkeypatch.setenv("X", "environment")
    with patch.dict(os.environ):
        read = Environment(file)

        assert (read.text("X"), read.text("Y"), read.text("Z")) == ("environment", "$y # y", "")
    assert Environment(tmp_path / "none").text("Y") == ""


def test_a_database_url_keeps_its_options_and_escapes(environment: Setter) -> None:
    assert environment("postgres://u:p%40%23@h:5433/n?sslmode=require").database("X", EMBEDDED) == POSTGRES | {
        "PASSWORD": "p@#",
        "PORT": 5433,
        "OPTIONS": {"sslmode": "require"},
    }


def test_no_database_url_is_no_database(environment: Setter) -> None:
    assert environment("").database("X", EMBEDDED) is None


def test_the_host_embedded_is_the_embedded_server(environment: Setter) -> None:
    assert environment("postgres://embedded/billing").database("X", EMBEDDED) == EMBEDDED | {"NAME": "billing"}


values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
urls = st.builds("{}://{}@{}/{}".format, st.sampled_from(["postgres", "postgresql", "psql", "redis"]), values, values, values)


@given(values | urls)
def test_whatever_is_in_the_environment_nothing_raises(value: str) -> None:
    with patch.dict(os.environ, {"X": value}):
        env = Environment()
        env.flag("X")
        env.integer("X", 1)
        env.share("X", 0.5)
        env.choice("X", "a", ("a",))
        env.names("X", "a", ("a",))
        env.json_object("X")
        env.milliseconds_range("X", "1..2")
        env.currency("X", "EUR")
        env.required("X", when=True, why="", hint="")
        env.database("X", EMBEDDED)

    assert all(problem.setting == "X" for problem in env.problems)


def aliases(**own: dict[str, Any] | None) -> tuple[list[str], dict[str, str]]:
    everything = {"orders": None, "billing": None, "notify": None} | own
    databases, found = service_databases(POSTGRES, everything)
    return list(databases), found


def test_without_databases_of_their_own_all_services_share_the_default() -> None:
    assert aliases() == (["default"], {"orders": "default", "billing": "default", "notify": "default"})


def test_equal_urls_are_one_alias() -> None:
    other = POSTGRES | {"NAME": "other"}

    assert aliases(orders=dict(POSTGRES))[1]["orders"] == "default"
    assert aliases(orders=other, billing=dict(other), notify=dict(POSTGRES)) == (
        ["default", "orders"],
        {"orders": "orders", "billing": "orders", "notify": "default"},
    )


def test_different_urls_are_an_alias_each() -> None:
    own = {service: POSTGRES | {"NAME": service} for service in ("orders", "billing", "notify")}

    assert aliases(**own) == (["default", *own], {service: service for service in own})
