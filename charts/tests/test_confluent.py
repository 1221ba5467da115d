"""The original's way: Confluent's charts, one ZooKeeper and one broker."""

import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from charts.tests.tools import ROOT

FOLDER = ROOT / "charts" / "confluent"
BUDGET = "charts/cp-zookeeper/templates/poddisruptionbudget.yaml"


def test_there_is_one_zookeeper_and_one_broker_and_nothing_else() -> None:
    values = yaml.safe_load((FOLDER / "cp-values.yaml").read_text())

    assert values["cp-zookeeper"]["servers"] == values["cp-kafka"]["brokers"] == 1
    assert [name for name, value in values.items() if value["enabled"]] == ["cp-zookeeper", "cp-kafka"]
    factors = {name: value for name, value in values["cp-kafka"]["configurationOverrides"].items() if "replication.factor" in name}
    assert set(factors.values()) == {1}


@pytest.mark.parametrize("version", ["1.25", "1.37"])
def test_kubernetes_takes_the_client_pod(version: str) -> None:
    kubernetes_validate.validate(yaml.safe_load((FOLDER / "kafka-client.yaml").read_text()), version, strict=True)


def mend(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(FOLDER / "mend.sh"), str(folder)], capture_output=True, text=True, check=False)


def test_the_mend_changes_the_one_line_that_new_clusters_refuse_and_may_run_twice(tmp_path: Path) -> None:
    budget = tmp_path / BUDGET
    budget.parent.mkdir(parents=True)
    budget.write_text("apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\n")

    assert [mend(tmp_path).returncode, mend(tmp_path).returncode] == [0, 0]

    assert budget.read_text() == "apiVersion: policy/v1\nkind: PodDisruptionBudget\n"
    assert list(budget.parent.iterdir()) == [budget]


def test_the_mend_says_what_it_misses(tmp_path: Path) -> None:
    result = mend(tmp_path)

    assert result.returncode == 1
    assert f"is {tmp_path} a clone of cp-helm-charts?" in result.stderr


def test_the_commands_of_the_original_are_in_the_documentation() -> None:
    page = (ROOT / "docs" / "containers.md").read_text()
    for command in (
        "helm repo add confluentinc https://confluentinc.github.io/cp-helm-charts/",
        "helm repo update",
        "helm install cp-app confluentinc/cp-helm-charts -f charts/confluent/cp-values.yaml",
        "kubectl apply -f charts/confluent/kafka-client.yaml",
        "helm install kfk-test-app ./charts/kafka-app",
    ):
        assert f"\n{command}\n" in page
