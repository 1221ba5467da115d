"""The last line of a test run: what was skipped, and why. With CI=true nothing may be skipped."""

import os
from collections import Counter

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get("CI") == "true" and reasons(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Comes after pytest's own summary."""
    skipped = reasons(config)
    if skipped:
        named = "; ".join(f"{count} × {reason}" for reason, count in sorted(skipped.items()))
        config.get_terminal_writer().line(f"skipped {skipped.total()} tests: {named}")


def reasons(config: pytest.Config) -> Counter[str]:
    """How many tests were skipped, by reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(reason_of(report) for report in reports)


def reason_of(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(getattr(report, "wasxfail", "") or report.longrepr)
