"""What the templates promise to whoever runs them."""

import re
from collections import Counter

import pytest

from charts.tests.rendering import VALUES, containers, helm, of_kind, pods, render
from charts.tests.tools import ROOT

sets_of_values = pytest.mark.parametrize("options", VALUES.values(), ids=VALUES.keys())
SECRETS = re.compile(r"DATABASE_URL|SECRET_KEY|TOKEN|PASSWORD|KAFKA_CONFIG")
BEATING = ("relay", "billing", "orders", "notify")


@sets_of_values
def test_no_secret_is_written_in_clear(options: tuple[str, ...]) -> None:
    for each in of_kind(render(*options), "ConfigMap").values():
        assert not [name for name in each["data"] if SECRETS.search(name)]
    for _, container in containers(render(*options)):
        assert not [each for each in container.get("env", []) if SECRETS.search(each["name"]) and "value" in each]


@sets_of_values
def test_no_pod_may_do_more_than_it_must(options: tuple[str, ...]) -> None:
    """The `restricted` level of the Pod Security Standards, and a root that nobody writes to."""
    for name, pod in pods(render(*options)):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
    for name, container in containers(render(*options)):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False and context["readOnlyRootFilesystem"] is True, name
        assert context["capabilities"] == {"drop": ["ALL"]}, name


@sets_of_values
def test_every_container_says_what_it_needs(options: tuple[str, ...]) -> None:
    for name, container in containers(render(*options)):
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name


@sets_of_values
def test_every_process_that_stays_has_its_probes(options: tuple[str, ...]) -> None:
    for name, deployment in of_kind(render(*options), "Deployment").items():
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        if name.endswith("web"):
            assert container["livenessProbe"]["httpGet"]["path"] == "/live"
            assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        else:
            assert container["livenessProbe"]["exec"]["command"] == [*container["command"], "--check-health"]
        assert "startupProbe" in container


@sets_of_values
def test_a_name_is_in_an_environment_once(options: tuple[str, ...]) -> None:
    for name, container in containers(render(*options)):
        assert max(Counter(each["name"] for each in container.get("env", [])).values(), default=1) == 1, name


@sets_of_values
def test_whoever_scales_counts_alone(options: tuple[str, ...]) -> None:
    objects = render(*options)
    scaled = {*of_kind(objects, "HorizontalPodAutoscaler"), *of_kind(objects, "ScaledObject")}
    for name, deployment in of_kind(objects, "Deployment").items():
        assert ("replicas" in deployment["spec"]) is (name not in scaled), name


@sets_of_values
def test_no_consumer_has_more_replicas_than_partitions(options: tuple[str, ...]) -> None:
    objects = render(*options)
    partitions = partitions_of(options)
    for scaled in of_kind(objects, "ScaledObject").values():
        assert scaled["spec"]["maxReplicaCount"] == partitions
    for name, deployment in of_kind(objects, "Deployment").items():
        if name in BEATING[1:]:
            assert deployment["spec"].get("replicas", 1) <= partitions


def test_more_replicas_than_partitions_are_refused_in_words() -> None:
    result = helm("template", "release", ".", "--set", "consumers.billing.replicas=3")
    assert "consumers.billing: 3 replicas are more than kafka.partitions (2)" in result.stderr


@sets_of_values
def test_a_process_has_longer_to_end_than_a_batch_takes(options: tuple[str, ...]) -> None:
    for _, deployment in of_kind(render(*options), "Deployment").items():
        assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= 30


@sets_of_values
def test_every_setting_is_one(options: tuple[str, ...]) -> None:
    known = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert set(of_kind(render(*options), "ConfigMap")[""]["data"]) <= known


@sets_of_values
def test_pods_wait_for_the_migration_that_no_hook_holds_up(options: tuple[str, ...]) -> None:
    objects = render(*options)
    jobs = of_kind(objects, "Job")
    assert "migrate-1" in jobs
    assert not [job for job in jobs.values() if "helm.sh/hook" in job["metadata"].get("annotations", {})]
    for name, deployment in of_kind(objects, "Deployment").items():
        if not name.endswith("web"):
            [wait] = deployment["spec"]["template"]["spec"]["initContainers"]
            assert wait["command"][2:4] == ["migrate_all", "--wait"]


def test_each_consumer_of_the_map_is_a_deployment() -> None:
    assert set(of_kind(render(), "Deployment")) == {"web", "relay", "billing", "orders", "notify"}


def test_apart_each_service_has_a_web_a_relay_and_a_database() -> None:
    objects = render(*VALUES["apart"])
    deployments = of_kind(objects, "Deployment")

    assert set(deployments) == {f"{name}{role}" for name in BEATING[1:] for role in ("", "-web", "-relay")}
    assert {"ORDERS_DATABASE_URL", "BILLING_DATABASE_URL", "NOTIFY_DATABASE_URL"} <= set(of_kind(objects, "Secret")[""]["data"])
    for name, deployment in deployments.items():
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        assert container["env"][0] == {"name": "SERVICES", "value": name.split("-")[0]}


@sets_of_values
def test_a_scraper_may_call_a_web_by_its_address(options: tuple[str, ...]) -> None:
    for name, deployment in of_kind(render(*options), "Deployment").items():
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        hosts = {each["name"]: each.get("value", "") for each in container["env"]}.get("ALLOWED_HOSTS", "")
        assert hosts.endswith(",$(POD_IP)") is name.endswith("web")
        assert not hosts or "localhost" in hosts.split(",")


def test_over_http_there_are_no_consumers_no_topics_and_the_services_know_each_other() -> None:
    objects = render(*VALUES["http, apart"])
    settings = of_kind(objects, "ConfigMap")[""]["data"]

    assert {name.rsplit("-")[-1] for name in of_kind(objects, "Deployment")} == {"web", "relay"}
    assert set(of_kind(objects, "Job")) == {"migrate-1"}
    for name in BEATING[1:]:
        assert settings[f"{name.upper()}_URL"] == f"http://kfk-test-app-kafka-app-{name}-web:80"
    assert "KAFKA_BOOTSTRAP_SERVERS" not in settings


def test_each_service_can_have_a_secret_of_its_own_that_no_other_sees() -> None:
    own = "secret.existingOf.orders=of-orders,secret.existingOf.billing=of-billing,secret.existingOf.notify=of-notify"
    objects = render(*VALUES["apart"], "--set", f"secret.existing=shared,postgres.enabled=false,{own}")

    for name, deployment in of_kind(objects, "Deployment").items():
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        secrets = [each["secretRef"]["name"] for each in container["envFrom"] if "secretRef" in each]
        assert secrets == ["shared", f"of-{name.split('-')[0]}"]
    [migrate] = of_kind(objects, "Job")["migrate-1"]["spec"]["template"]["spec"]["containers"]
    assert len(migrate["envFrom"]) == 5


def test_without_a_database_and_a_secret_nothing_is_rendered() -> None:
    result = helm("template", "release", ".", "--set", "postgres.enabled=false")
    assert "name a Secret with SECRET_KEY and DATABASE_URL in secret.existing" in result.stderr


def test_the_public_host_is_allowed_and_reaches_every_service() -> None:
    objects = render(*VALUES["production, apart"])
    [rule] = of_kind(objects, "Ingress")[""]["spec"]["rules"]
    paths = {path["path"]: path["backend"]["service"]["name"].removeprefix("kfk-test-app-kafka-app-") for path in rule["http"]["paths"]}

    assert rule["host"] in of_kind(objects, "ConfigMap")[""]["data"]["ALLOWED_HOSTS"].split(",")
    assert paths == {"/api/v1/orders": "orders-web", "/api/v1/billing": "billing-web", "/api/v1/notify": "notify-web", "/": "orders-web"}


def test_strimzi_makes_the_topics_in_the_cluster_that_the_shop_uses() -> None:
    objects = render(*VALUES["strimzi"])

    assert {each["metadata"]["name"] for each in objects if each["kind"] == "KafkaTopic"} == {
        "order-topic",
        "billing-topic",
        "notify-topic",
    }
    for each in objects:
        if each["kind"] in {"KafkaTopic", "KafkaNodePool"}:
            assert each["metadata"]["labels"]["strimzi.io/cluster"] == "kfk-test-app-kafka-app"
    assert of_kind(objects, "ConfigMap")[""]["data"]["KAFKA_BOOTSTRAP_SERVERS"] == "kfk-test-app-kafka-app-kafka-bootstrap:9092"
    assert set(of_kind(objects, "Job")) == {"migrate-1"}


@sets_of_values
def test_nothing_that_counts_on_other_operators_is_there_unasked(options: tuple[str, ...]) -> None:
    if not options:
        assert not [
            each for each in render() if "." in each["apiVersion"].split("/")[0] and not each["apiVersion"].split("/")[0].endswith("k8s.io")
        ]


def groups(*settings: str) -> set[str]:
    """The groups of alert rules that the chart makes."""
    [rules] = of_kind(render("--set", ",".join(["metrics.alerts.enabled=true", *settings])), "PrometheusRule").values()
    return {group["name"] for group in rules["spec"]["groups"]}


def test_alerts_that_cannot_hold_are_left_out() -> None:
    assert groups() == {"shop", "shop.kafka", "shop.auto"}
    assert groups("settings.BILLING_MODE=on_request") == {"shop", "shop.kafka"}
    assert groups("transport=http,secret.existing=shop") == {"shop", "shop.auto"}


def test_alerts_lead_to_the_runbook_that_the_team_reads() -> None:
    options = "metrics.alerts.enabled=true,metrics.alerts.runbooks=https://wiki.example/shop"
    [rules] = of_kind(render("--set", options), "PrometheusRule").values()
    urls = [rule["annotations"]["runbook_url"] for group in rules["spec"]["groups"] for rule in group["rules"]]
    assert all(url.startswith("https://wiki.example/shop#shop") for url in urls)


def test_the_board_is_a_file_that_grafana_finds() -> None:
    board = of_kind(render(*VALUES["production"]), "ConfigMap")["board"]
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert board["data"]["kafka-shop.json"] == (ROOT / "charts" / "kafka-app" / "files" / "board.json").read_text()


def partitions_of(options: tuple[str, ...]) -> int:
    """How many partitions the topics get; 1 when there are none."""
    objects = render(*options)
    topics = [int(each["spec"]["partitions"]) for each in objects if each["kind"] == "KafkaTopic"]
    jobs = [job for name, job in of_kind(objects, "Job").items() if name.startswith("topics")]
    commands = [job["spec"]["template"]["spec"]["containers"][0]["command"] for job in jobs]
    asked = [int(command[command.index("--partitions") + 1]) for command in commands]
    return max(topics + asked, default=1)
