"""What the Compose files promise, read from the files. `test_compose_runs.py` runs what they start."""

import re

import jsonschema
import pytest

from tests.deployment.compose import FILES, ROOT, SCHEMA, Service, read, services

ALL = pytest.mark.parametrize("service", services(), ids=str)
OURS = pytest.mark.parametrize("service", [each for each in services() if each.is_ours], ids=str)
ONE_SHOTS = {"migrate", "topics"}


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_as_the_compose_specification_wants_it(file: str) -> None:
    jsonschema.validate(read(file), SCHEMA)


def test_an_unknown_key_is_found() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"web": {"image": "shop", "memory": "1g"}}}, SCHEMA)


@ALL
def test_only_this_machine_reaches_a_port(service: Service) -> None:
    assert all(port.startswith("127.0.0.1:") for port in service.content.get("ports", []))


@pytest.mark.parametrize("file", FILES)
def test_no_two_services_want_one_port(file: str) -> None:
    ports = [port.split(":")[1] for service in services() if service.file == file for port in service.content.get("ports", [])]
    assert len(ports) == len(set(ports))


@ALL
def test_an_image_of_others_is_pinned(service: Service) -> None:
    assert service.is_ours or re.search(r":v?\d+\.\d+", service.content["image"])


@ALL
def test_what_is_waited_for_says_when_it_is_there(service: Service) -> None:
    """`service_healthy` needs a health check, `service_completed_successfully` a service that ends."""
    others = read(service.file)["services"]
    for name, wait in service.content.get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in others[name]
        else:
            assert name in ONE_SHOTS and others[name]["restart"] == "no"


@ALL
def test_what_stays_up_has_a_health_check_and_starts_again(service: Service) -> None:
    if service.name in ONE_SHOTS or "profiles" in service.content:
        return
    assert service.content["restart"] == "unless-stopped"
    assert "healthcheck" in service.content


@OURS
def test_our_containers_may_do_little(service: Service) -> None:
    assert service.content["read_only"] is True
    assert service.content["cap_drop"] == ["ALL"]
    assert service.content["security_opt"] == ["no-new-privileges:true"]
    assert service.content["tmpfs"] == ["/tmp"]  # noqa: S108 - the container's own, in memory


@OURS
def test_every_name_in_the_environment_is_a_setting(service: Service) -> None:
    known = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert set(service.environment) <= known


@OURS
def test_debug_is_off(service: Service) -> None:
    assert "DEBUG" not in service.environment


def test_the_image_is_built_once_for_each_file() -> None:
    for file in FILES:
        assert [service.name for service in services() if service.file == file and "build" in service.content] == ["migrate"]


def test_over_http_there_is_no_broker_and_each_service_serves_itself_alone() -> None:
    http = {service.name: service for service in services() if service.file == "compose.http.yml"}

    assert not [name for name, service in http.items() if "kafka" in service.content["image"].replace("kafka-shop", "")]
    for name in ("orders", "billing", "notify"):
        assert http[name].environment["SERVICES"] == http[f"{name}-relay"].environment["SERVICES"] == name
        assert http[name].environment[f"{name.upper()}_DATABASE_URL"].endswith(f"/{name}")


def test_the_image_runs_as_nobody_in_particular_and_has_no_build_tools() -> None:
    build, run = (ROOT / "Dockerfile").read_text().split("FROM ")[1:]

    assert "--require-hashes" in build
    assert "USER 10001" in run
    assert not re.search(r"apt-get|gcc|pip install", run)
    assert re.search(r"ARG PYTHON=python:\d+\.\d+\.\d+-slim-\w+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_the_image_takes_in_what_runs_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == {
        "manage.py", "kafka_shop", "orders", "billing", "notify", "consumers", "requirements/base.txt", "requirements/otel.txt",
    }  # fmt: skip
    assert "**/tests" in lines
