"""Board, alerts and what docker-compose.yml makes of them: every name in them is one that the shop has."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from consumers import metrics as metrics_of_consumers
from kafka_shop.api import metrics as metrics_of_web
from tests.deployment.compose import ROOT, read

FILES = ROOT / "charts" / "kafka-app" / "files"
BOARD = json.loads((FILES / "board.json").read_text())
ALERTS = {rule["alert"]: rule for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"] for rule in group["rules"]}
COMPOSE = read("docker-compose.yml")
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
SCRAPED = {"job", "instance", "pod", "le", "__name__"}  # labels that Prometheus adds, and that of a histogram's buckets
WORDS = {"and", "or", "unless", "by", "on", "offset"}  # of PromQL
LISTS = r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)"


def metrics() -> set[str]:
    """The names that web, consumers and relays serve."""
    assert metrics_of_consumers and metrics_of_web
    return {family.name + suffix for family in REGISTRY.collect() for suffix in SUFFIXES.get(family.type, [])}


def labels() -> set[str]:
    """The labels of the shop's metrics, as docs/metrics.md lists them."""
    rows = re.findall(r"^\| `shop_\w+` \| ([^|]*) \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
    return {label.strip() for row in rows for label in row.split(",")}


def of_board() -> list[str]:
    """What the board asks."""
    return [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])]


def metrics_in(expression: str) -> set[str]:
    """The metrics that PromQL names: what is left of it without texts, ranges, lists of labels and functions."""
    bare = re.sub(r'"[^"]*"|\[[^]]*\]', "", expression)
    bare = re.sub(rf"\{{[^}}]*\}}|{LISTS}|\boffset\s+\w+", " ", bare)
    return set(re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)) - WORDS


def labels_in(expression: str) -> set[str]:
    matched = re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", expression)
    return {*matched, *(label.strip() for found in re.findall(LISTS, expression) for label in found.split(","))}


def test_a_wrong_name_is_found() -> None:
    expression = 'sum by (consumer, le) (rate(shop_lag{state="x", n=~"y"}[5m])) > 0 unless shop_other offset 10m'

    assert metrics_in(expression) == {"shop_lag", "shop_other"}
    assert labels_in(expression) == {"consumer", "le", "state", "n"}


@pytest.mark.parametrize("expression", [*of_board(), *(rule["expr"] for rule in ALERTS.values())])
def test_every_metric_and_label_exists(expression: str) -> None:
    assert metrics_in(expression)
    assert metrics_in(expression) <= metrics()
    assert labels_in(expression) <= labels() | SCRAPED


def test_the_board_shows_every_metric_of_the_shop() -> None:
    shown = {re.sub(r"_(bucket|total)$", "", name) for expression in of_board() for name in metrics_in(expression)}
    assert {family.name for family in REGISTRY.collect() if family.name.startswith("shop_")} <= shown


def test_the_page_of_metrics_names_all_of_them_and_no_others() -> None:
    named = set(re.findall(r"^\| `(shop_\w+)` \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    own = {name for name in metrics() if name.startswith("shop_")}
    assert named == {re.sub(r"_(bucket|count|sum)$", "", name) for name in own}


@pytest.mark.parametrize("alert", list(ALERTS))
def test_every_alert_has_its_words_and_a_section_of_the_runbook(alert: str) -> None:
    rule = ALERTS[alert]
    page, anchor = rule["annotations"]["runbook_url"].split("#")

    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert anchor == alert.lower()
    assert f"\n### {alert}\n" in (ROOT / page).read_text()


def test_the_runbook_has_no_section_of_an_alert_that_is_gone() -> None:
    sections = re.findall(r"^### (Shop\w+)$", (ROOT / "docs" / "production.md").read_text(), re.MULTILINE)
    assert sorted(sections) == sorted(ALERTS)


def mounts(service: str) -> dict[str, Path]:
    """What a service finds where: files and folders of the project."""
    pairs = [volume.split(":") for volume in COMPOSE["services"][service]["volumes"]]
    return {target: ROOT / source for source, target, *_ in pairs if source.startswith("./")}


def test_prometheus_scrapes_every_process_with_the_token_that_the_web_knows() -> None:
    found = mounts("prometheus")
    configuration = yaml.safe_load(found["/etc/prometheus/prometheus.yml"].read_text())
    jobs = {job["job_name"]: job for job in configuration["scrape_configs"]}
    targets = {job: [target for each in jobs[job]["static_configs"] for target in each["targets"]] for job in jobs}
    environment = COMPOSE["services"]["web"]["environment"]

    assert found[f"/etc/prometheus/{configuration['rule_files'][0]}"] == FILES / "alerts.yaml"
    assert targets["web"] == ["web:8000"]
    assert targets["consumers"] == [f"{name}:{environment['METRICS_PORT']}" for name in ("relay", "billing", "orders", "notify")]
    assert set(environment["ALLOWED_HOSTS"].split(",")) >= {"web"}
    [token] = COMPOSE["services"]["prometheus"]["configs"]
    assert token["target"] == f"/etc/prometheus/{jobs['web']['authorization']['credentials_file']}"
    assert COMPOSE["configs"][token["source"]]["content"] == environment["METRICS_TOKEN"] != ""


def test_grafana_has_the_board_and_a_source_and_nobody_may_change_them() -> None:
    found, environment = mounts("grafana"), COMPOSE["services"]["grafana"]["environment"]
    provisioning = found["/etc/grafana/provisioning"]
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    [provider] = yaml.safe_load((provisioning / "dashboards" / "shop.yml").read_text())["providers"]

    assert source["url"] == "http://prometheus:9090"
    assert found[environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]] == FILES / "board.json"
    assert environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].startswith(provider["options"]["path"])
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_panels_ask_the_chosen_source_and_none_lies_on_another() -> None:
    spots = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in BOARD["panels"]]

    assert len(set(spots)) == len(spots) == len({panel["id"] for panel in BOARD["panels"]})
    assert {target["datasource"]["uid"] for panel in BOARD["panels"] for target in panel.get("targets", [])} == {"${datasource}"}
