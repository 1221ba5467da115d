"""The chart's README is made from its values, and is up to date."""

from charts.tests.rendering import CHART
from charts.tests.tools import HELM_DOCS, built, run


def test_the_readme_is_what_helm_docs_makes_of_the_values() -> None:
    made = run(built(HELM_DOCS), "--chart-search-root", str(CHART), "--dry-run", "--log-level", "error")
    assert (CHART / "README.md").read_text().strip() == made.strip()
