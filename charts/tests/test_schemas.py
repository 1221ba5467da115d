"""Every object is one that a cluster takes, old or new, and every custom resource is as its definition wants it."""

from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from charts.tests.rendering import VALUES, helm, render
from charts.tests.tools import custom_resources

KUBERNETES = ("1.25", "1.31", "1.37")
WRONG = {
    "transport=carrier-pigeon": "transport",
    "apart=perhaps": "apart",
    "consumers.shipping.replicas=1": "shipping",
    "kafka.partitions=0": "partitions",
    "web.replica=3": "replica",
    "settings.SECRET_KEY=in-clear": "SECRET_KEY",
    "settings.BILLING_DATABASE_URL=in-clear": "BILLING_DATABASE_URL",
    "terminationGracePeriodSeconds=1": "terminationGracePeriodSeconds",
}
sets_of_values = pytest.mark.parametrize("options", VALUES.values(), ids=VALUES.keys())


@sets_of_values
def test_helm_finds_nothing_to_complain_of(options: tuple[str, ...]) -> None:
    result = helm("lint", "--strict", ".", *options)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("version", KUBERNETES)
@sets_of_values
def test_kubernetes_takes_every_object(options: tuple[str, ...], version: str) -> None:
    for each in render(*options):
        if (each["apiVersion"], each["kind"]) not in custom_resources():
            kubernetes_validate.validate(each, version, strict=True)


@sets_of_values
def test_every_custom_resource_is_as_it_is_defined(options: tuple[str, ...]) -> None:
    for each in render(*options):
        if schema := custom_resources().get((each["apiVersion"], each["kind"])):
            jsonschema.validate(each, strict(schema))


def test_all_custom_resources_are_rendered_and_looked_at() -> None:
    rendered = {each["kind"] for options in VALUES.values() for each in render(*options)}
    assert {kind for _, kind in custom_resources()} <= rendered


def test_an_unknown_field_is_found() -> None:
    [scaled] = [each for each in render(*VALUES["production"]) if each["kind"] == "ScaledObject" and "billing" in each["metadata"]["name"]]
    schema = strict(custom_resources()["keda.sh/v1alpha1", "ScaledObject"])

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**scaled, "spec": {**scaled["spec"], "maxReplicas": 3}}, schema)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_value_is_refused_by_name(wrong: str) -> None:
    result = helm("template", "release", ".", "--set", wrong)

    assert result.returncode != 0
    assert WRONG[wrong] in result.stderr


def strict(schema: Any) -> Any:
    """A schema that refuses what it does not name, as an API server does under strict field validation; metadata is Kubernetes' own."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(value) for name, value in schema.items()}
    if isinstance(schema.get("pattern"), str):
        closed["pattern"] = schema["pattern"].replace("^(?i)", "(?i)^")  # Go takes a flag anywhere, Python at the beginning
    if isinstance(schema.get("properties"), dict):
        closed["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        if (
            "additionalProperties" not in schema
            and not schema.get("x-kubernetes-preserve-unknown-fields")
            and schema.get("type") == "object"
        ):
            closed["additionalProperties"] = False
    if schema.get("type") == "object" and "properties" not in schema and "additionalProperties" not in schema:
        closed.pop("additionalProperties", None)
    return closed
