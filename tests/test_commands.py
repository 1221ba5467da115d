"""Commands from outside: each error is one line on stderr with its remedy, and exit code 1."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from kafka_shop.entry import needs_database
from kafka_shop.local.variants import demo_environment

ROOT = Path(__file__).resolve().parents[1]
NOWHERE = "postgres://nobody:secret@127.0.0.1:9/nowhere"


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60)


def error_of(*arguments: str, **environment: str) -> str:
    """The single line that a failing command says."""
    result = run(*arguments, **environment)
    assert result.returncode == 1, result.stdout
    [line] = result.stderr.splitlines()
    return line


def test_an_unknown_command_suggests_the_nearest_and_starts_nothing(tmp_path: Path) -> None:
    result = run("run_consumr", VAR_DIR=str(tmp_path))

    assert result.returncode == 1
    assert "Did you mean run_consumer?" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["migrate_all", "seed", "audit"])
def test_a_database_that_is_away_is_one_line_without_the_password(command: str) -> None:
    line = error_of(command, DATABASE_URL=NOWHERE)

    assert "database" in line and "DATABASE_URL" in line
    assert "secret" not in line


def test_a_setting_that_is_wrong_is_named() -> None:
    result = run("migrate_all", BATCH_SIZE="many")

    assert result.returncode == 1
    assert "BATCH_SIZE is 'many'" in result.stderr
    assert "Traceback" not in result.stderr


def test_all_of_an_error_is_shown_on_request() -> None:
    assert "Traceback" in run("migrate_all", "--traceback", DATABASE_URL=NOWHERE).stderr


def test_help_needs_no_database() -> None:
    assert not needs_database("seed", ["manage.py", "help", "seed"])
    assert not needs_database("seed", ["manage.py", "seed", "--help"])
    assert needs_database("seed", ["manage.py", "seed"])


def test_the_demo_ignores_what_is_named_elsewhere_unless_told() -> None:
    assert demo_environment([])["DATABASE_URL"] == ""
    assert demo_environment([])["KAFKA_BOOTSTRAP_SERVERS"] == ""
    assert "DATABASE_URL" not in demo_environment(["--external"])
    assert demo_environment(["--external"])["DEMO"] == "true"
    assert demo_environment(["--external"])["TRANSPORT"] == "kafka"


def test_the_demos_variants_are_settings() -> None:
    chosen = demo_environment(["--transport=http", "--billing", "on_request", "--apart", "--port", "0"])
    assert (chosen["TRANSPORT"], chosen["BILLING_MODE"], chosen["SERVICES"]) == ("http", "on_request", "")
    assert len({chosen[name] for name in ("DATABASE_URL", "BILLING_DATABASE_URL", "NOTIFY_DATABASE_URL")}) == 3
    assert chosen["SERVICE_TOKEN"] != demo_environment(["--transport=http"])["SERVICE_TOKEN"]
    assert "DATABASE_URL" not in demo_environment(["--external", "--apart"])


def test_a_consumer_of_a_service_that_is_not_served_is_refused() -> None:
    assert error_of("run_consumer", "orders", SERVICES="billing") == (
        "CommandError: this process does not serve orders (SERVICES=billing): add it to SERVICES"
    )


def test_migrate_all_and_doctor_agree() -> None:
    migrated = run("migrate_all")
    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert "default (orders, billing, notify, users)" in migrated.stdout

    examined = run("doctor")

    assert examined.returncode == 0, examined.stdout
    assert "ok       database default" in examined.stdout
    assert f"ok       embedded PostgreSQL in {settings.VAR_DIR / 'postgres'}" in examined.stdout
    assert ("Running as root" in examined.stdout) == (os.geteuid() == 0)


def test_the_doctor_names_what_is_missing_and_the_remedy() -> None:
    result = run("doctor", DATABASE_URL=NOWHERE, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9", FLOOD_SHARE="2")
    assert result.returncode == 1
    assert "missing  settings: FLOOD_SHARE is '2'" in result.stdout and "Set FLOOD_SHARE=0.5." in result.stdout

    result = run("doctor", DATABASE_URL=NOWHERE, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9")
    assert "missing  database default: " in result.stdout and "see DATABASE_URL" in result.stdout
    assert "missing  broker: no broker answers at 127.0.0.1:9 → see KAFKA_BOOTSTRAP_SERVERS" in result.stdout
    assert result.stderr == "CommandError: 2 required things are missing\n"
