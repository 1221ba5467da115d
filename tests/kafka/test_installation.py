"""Without Java or Maven there is one clear line that says how to get it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka import installation
from tests.kafka.fixtures import require_kafka
from tests.kafka.installation import PartMissing, ensure_jars


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine whose only programs are those in the returned folder, with nothing cached."""
    installation._fingerprint.cache_clear()
    monkeypatch.setattr(installation, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path))
    yield tmp_path
    installation._fingerprint.cache_clear()


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_missing_java_is_named_with_the_remedy() -> None:
    with pytest.raises(PartMissing, match="Java 17 or newer is missing: run `make tools`"):
        ensure_jars()


def test_a_java_too_old_is_named_with_its_version(empty_machine: Path) -> None:
    program(empty_machine, "java", """echo 'openjdk version "11.0.2"' >&2""")

    with pytest.raises(PartMissing, match=r"Java 17 or newer is missing .*11\.0\.2"):
        ensure_jars()


def test_missing_maven_is_named_with_the_remedy(empty_machine: Path) -> None:
    program(empty_machine, "java", """echo 'openjdk version "21.0.1"' >&2""")

    with pytest.raises(PartMissing, match="Maven is missing: run `make tools`"):
        ensure_jars()


def test_a_failed_download_leaves_nothing_that_looks_complete(empty_machine: Path) -> None:
    program(empty_machine, "java", """echo 'openjdk version "21.0.1"' >&2""")
    program(empty_machine, "mvn", "echo '[ERROR] no network'; exit 1")

    for _ in range(2):
        with pytest.raises(PartMissing, match="no network"):
            ensure_jars()


def test_a_laptop_without_java_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="Java 17"):
        require_kafka()


def test_ci_without_java_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="Java 17"):
        require_kafka()
