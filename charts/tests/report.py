"""`python -m charts.tests.report`: writes docs/results/charts.md after the tests have passed."""

from collections import Counter
from datetime import UTC, datetime

from charts.tests.rendering import VALUES, render
from charts.tests.test_schemas import KUBERNETES
from charts.tests.tools import GO_MODULES, HELM, ROOT, custom_resources


def lines() -> list[str]:
    custom = Counter(kind for _, kind in custom_resources())
    rows = []
    for name, options in VALUES.items():
        objects = render(*options)
        ours = sum(each["kind"] in custom for each in objects)
        rows.append(f"| {name} | {len(objects)} | {len(objects) - ours} | {ours} |")
    sources = ", ".join([*(f"`{module}`" for module in GO_MODULES), "`io.strimzi:api:1.2.0`"])
    return [
        "# The charts, proved without a cluster",
        "",
        f"`make charts` on {datetime.now(UTC):%Y-%m-%d}, all tests passed. Helm: `{HELM}`; custom resources as defined in {sources}.",
        "",
        "Each set of values is linted under `--strict` and rendered. Every object is validated, unknown fields refused, against the",
        f"schemas of Kubernetes {', '.join(KUBERNETES)}, every custom resource against its definition. The promises have tests, too.",
        "",
        f"| values | objects | Kubernetes' own, each valid in {len(KUBERNETES)} versions | custom resources, valid |",
        "| --- | ---: | ---: | ---: |",
        *rows,
        "",
        "Not proved here, because no cluster is at hand: that a scheduler places the pods, that the images are pulled, and that the",
        "operators (KEDA, Strimzi, Prometheus, a gateway) do what their resources ask for. The commands and environments of the",
        "containers run as plain processes in [tests/deployment](../../tests/deployment).",
        "",
    ]


if __name__ == "__main__":
    (ROOT / "docs" / "results" / "charts.md").write_text("\n".join(lines()))
