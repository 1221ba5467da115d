"""Each id of a wrong setting, seen through the real settings module: the setting is named, the remedy given, nothing breaks."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import Error
from pytest_django import Settings

from kafka_shop import checks, conf
from kafka_shop.conf import Problem

Read = Callable[..., dict[str, Any]]
PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "s",
    "ALLOWED_HOSTS": "shop.example",
    "DATABASE_URL": "postgres://u:p@h/n",
    "KAFKA_BOOTSTRAP_SERVERS": "b:9092",
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The settings as they are with these variables in the environment."""

    def read(**environment: str) -> dict[str, Any]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(Path(conf.__file__).parent / "settings.py"))

    return read


def only(found: dict[str, Any]) -> Problem:
    [problem] = found["SETTINGS_PROBLEMS"]
    assert isinstance(problem, Problem) and problem.message.startswith(problem.setting) and problem.hint
    return problem


def test_a_production_is_safe_without_a_word(read: Read) -> None:
    found = read(**PRODUCTION)

    secure = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD"]
    assert all(found[name] for name in secure)
    assert found["SECURE_HSTS_SECONDS"] >= 365 * 24 * 60 * 60
    assert found["SECURE_PROXY_SSL_HEADER"] is None
    assert found["TRUSTED_PROXIES"] == 0


def test_the_environment_of_the_tests_and_a_production_have_no_problem(read: Read) -> None:
    assert read()["SETTINGS_PROBLEMS"] == ()
    assert read(**PRODUCTION)["SETTINGS_PROBLEMS"] == ()


@pytest.mark.parametrize("name", ["DEBUG", "SIGN_UP", "SELF_SERVICE_DEPOSITS"])
def test_shop_e001_a_flag_that_is_neither_true_nor_false(read: Read, name: str) -> None:
    found = read(**{name: "perhaps", "ALLOWED_HOSTS": "x", "DATABASE_URL": "postgres://h/n", "KAFKA_BOOTSTRAP_SERVERS": "b:1"})

    assert (only(found).id, only(found).setting, found[name]) == ("shop.E001", name, False)


@pytest.mark.parametrize("value", ["0", "-1", "10001", "1.5", "many", "²", "٣", "9" * 5000])
def test_shop_e002_a_number_out_of_its_range(read: Read, value: str) -> None:
    found = read(BATCH_SIZE=value)

    assert (only(found).id, only(found).setting, found["BATCH_SIZE"]) == ("shop.E002", "BATCH_SIZE", 1000)


@pytest.mark.parametrize("value", ["0", "-0.1", "1.1", "nan", "half"])
def test_shop_e003_a_share_that_is_none(read: Read, value: str) -> None:
    found = read(FLOOD_SHARE=value)

    assert (only(found).id, only(found).setting, found["FLOOD_SHARE"]) == ("shop.E003", "FLOOD_SHARE", 0.5)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("TRANSPORT", "kafka"),
        ("BILLING_MODE", "auto"),
        ("KAFKA_GROUP_PROTOCOL", "consumer"),
        ("LANGUAGE_CODE", "en"),
        ("LOG_FORMAT", "json"),
    ],
)
def test_shop_e004_a_choice_that_is_not_offered(read: Read, name: str, default: str) -> None:
    found = read(**{name: "pigeon"})

    assert (only(found).id, only(found).setting) == ("shop.E004", name)
    assert found[name] == default


@pytest.mark.parametrize("value", ["orders,bilings", "all", ","])
def test_shop_e005_a_service_that_does_not_exist(read: Read, value: str) -> None:
    found = read(SERVICES=value)

    assert (only(found).id, only(found).setting, found["SERVICES"]) == ("shop.E005", "SERVICES", ["orders", "billing", "notify"])


@pytest.mark.parametrize("value", ["[]", "1", "{", "sasl.password=secret", "[" * 100_000])
def test_shop_e006_a_kafka_config_that_is_no_json_object_and_may_be_secret(read: Read, value: str) -> None:
    found = read(KAFKA_CONFIG=value)

    assert (only(found).id, only(found).setting, found["KAFKA_CONFIG"]) == ("shop.E006", "KAFKA_CONFIG", {})
    assert "secret" not in only(found).message


@pytest.mark.parametrize("value", ["100", "100..", "..100", "0..100", "200..100", "a..b", "-1..5", "²..5", "1..2..3"])
def test_shop_e007_a_back_off_that_is_no_range(read: Read, value: str) -> None:
    found = read(RETRY_BACKOFF_MS=value)

    assert (only(found).id, only(found).setting, found["RETRY_BACKOFF_MS"]) == ("shop.E007", "RETRY_BACKOFF_MS", (100, 30_000))


@pytest.mark.parametrize("value", ["eur", "EURO", "E1R", "€€€", "ЕВР", "JPY", "XXX"])
def test_shop_e008_a_currency_that_is_no_code(read: Read, value: str) -> None:
    found = read(CURRENCY=value)

    assert (only(found).id, only(found).setting, found["CURRENCY"]) == ("shop.E008", "CURRENCY", "EUR")


def test_shop_e009_a_folder_that_is_a_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = read(HEARTBEAT_DIR=str(tmp_path / "file"))

    assert (only(found).id, only(found).setting) == ("shop.E009", "HEARTBEAT_DIR")
    assert found["HEARTBEAT_DIR"] == django_settings.VAR_DIR / "heartbeats"


def test_shop_e009_a_folder_may_have_to_be_made_and_is_of_the_project_unless_it_says_where(read: Read, tmp_path: Path) -> None:
    assert read(HEARTBEAT_DIR=str(tmp_path / "new"))["HEARTBEAT_DIR"] == tmp_path / "new"
    assert read(HEARTBEAT_DIR="beats")["HEARTBEAT_DIR"] == conf.BASE_DIR / "beats"
    assert read()["SETTINGS_PROBLEMS"] == ()


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"])
@pytest.mark.parametrize("value", ["", "  "])
def test_shop_e010_what_production_cannot_do_without(read: Read, name: str, value: str) -> None:
    problem = only(read(**PRODUCTION | {name: value}))

    assert (problem.id, problem.setting) == ("shop.E010", name)


def test_shop_e010_http_needs_no_broker(read: Read) -> None:
    assert read(**PRODUCTION | {"KAFKA_BOOTSTRAP_SERVERS": "", "TRANSPORT": "http"})["SETTINGS_PROBLEMS"] == ()


@pytest.mark.parametrize("name", ["DATABASE_URL", "ORDERS_DATABASE_URL", "BILLING_DATABASE_URL", "NOTIFY_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite:///shop.db",
        "mysql://u:secret@h/n",
        "postgers://u:secret@h/n",
        "postgres://u:secret@h",
        "postgres://u:secret@h:p/n",
    ],
)
def test_shop_e011_a_database_that_is_no_postgresql_url_and_keeps_its_password(
    read: Read, name: str, url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    problem = only(read(**{name: url}))

    assert (problem.id, problem.setting) == ("shop.E011", name)
    assert "secret" not in problem.message + problem.hint + "".join(capfd.readouterr())


def test_shop_e020_http_needs_the_addresses_of_the_services_and_their_token(settings: Settings) -> None:
    settings.TRANSPORT = "http"
    settings.SERVICE_URLS, settings.SERVICE_TOKEN = {"orders": "http://orders", "billing": "", "notify": ""}, ""

    problems = [error for error in checks.settings_are_usable() if error.id == "shop.E020"]

    assert [str(error.hint) for error in problems] == ["Set BILLING_URL.", "Set NOTIFY_URL.", "Set SERVICE_TOKEN."]


def test_shop_e020_kafka_needs_none_of_it(settings: Settings) -> None:
    settings.TRANSPORT = "kafka"

    assert checks.settings_are_usable() == []


def test_shop_e021_traces_need_packages_that_an_installation_may_lack(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert checks.settings_are_usable() == []

    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://collector:4318"

    [problem] = checks.settings_are_usable()
    assert (problem.id, problem.hint) == ("shop.E021", "Install requirements/otel.txt, or take OTEL_EXPORTER_OTLP_ENDPOINT away.")


def test_every_problem_is_an_error_that_stops_a_command(settings: Settings) -> None:
    settings.SETTINGS_PROBLEMS = (Problem("shop.E002", "BATCH_SIZE", "BATCH_SIZE is 0", "Set BATCH_SIZE=1000."),)

    assert checks.settings_are_usable() == [Error("BATCH_SIZE is 0", hint="Set BATCH_SIZE=1000.", id="shop.E002")]


def test_all_problems_are_told_at_once(read: Read) -> None:
    found = read(BATCH_SIZE="0", CURRENCY="eur", DEBUG="perhaps")["SETTINGS_PROBLEMS"]

    assert {"BATCH_SIZE", "CURRENCY", "DEBUG"} <= {problem.setting for problem in found}


def test_every_id_has_a_test_with_its_name() -> None:
    source = "".join(Path(str(module.__file__)).read_text() for module in (conf, checks))
    ids = set(re.findall(r'"(?:shop\.)?E(\d{3})"', source))
    tested = {name.split("_")[2].removeprefix("e") for name in globals() if name.startswith("test_shop_e")}

    assert ids == tested
    assert django_settings.SETTINGS_PROBLEMS == ()
