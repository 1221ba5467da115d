"""The chart as Helm renders it, for each set of values."""

import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import yaml

from charts.tests.tools import HELM, ROOT, built

CHART = ROOT / "charts" / "kafka-app"
RELEASE = "kfk-test-app"
Object = dict[str, Any]

# Every file of values, and how they go together.
VALUES: dict[str, tuple[str, ...]] = {
    "default": (),
    "apart": ("--values=values-apart.yaml",),
    "http": ("--values=values-http.yaml",),
    "http, apart": ("--values=values-http.yaml", "--values=values-apart.yaml"),
    "strimzi": ("--values=values-strimzi.yaml",),
    "strimzi, apart": ("--values=values-strimzi.yaml", "--values=values-apart.yaml"),
    "production": ("--values=values-production.yaml",),
    "production, apart": ("--values=values-production.yaml", "--values=values-apart.yaml"),
    "everything": (
        "--values=values-production.yaml",
        "--set=httpRoute.enabled=true,httpRoute.hostnames={shop.example},httpRoute.parentRefs[0].name=gateway",
        "--set=nodeSelector.disk=fast,priorityClassName=high,podAnnotations.team=shop,imagePullSecrets[0].name=registry",
        "--set=networkPolicy.from[0].namespaceSelector.matchLabels.name=ingress,networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.name=metrics",
    ),
}


def helm(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs Helm in the chart's folder."""
    return subprocess.run([built(HELM), *arguments], cwd=CHART, capture_output=True, text=True, check=False)


@cache
def render(*options: str) -> tuple[Object, ...]:
    """The objects that `helm install` would send."""
    result = helm("template", RELEASE, ".", *options)
    assert result.returncode == 0, result.stderr
    return tuple(each for each in yaml.safe_load_all(result.stdout) if each)


def of_kind(objects: Iterable[Object], kind: str) -> dict[str, Object]:
    """The objects of a kind by their names, without the release's prefix."""
    return {
        each["metadata"]["name"].removeprefix(f"{RELEASE}-kafka-app").removeprefix("-"): each for each in objects if each["kind"] == kind
    }


def pods(objects: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    """Every pod's name and its specification, whatever makes it."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each["metadata"]["name"], each["spec"]
        elif "template" in each.get("spec", {}):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def containers(objects: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    """Every container with the name of its pod."""
    for name, pod in pods(objects):
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            yield f"{name}/{container['name']}", container
