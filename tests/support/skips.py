"""What a test session leaves out is said at its end; in CI nothing may be left out."""

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that is skipped in CI, where everything it could need is installed beforehand."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = _refusal(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that is skipped whole in CI."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = _refusal(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out and why, and say as well that nothing was."""
    skipped = terminalreporter.stats.get("skipped", [])
    terminalreporter.section("left out")
    for report in skipped:
        terminalreporter.line(f"{report.nodeid}: {_reason(report)}")
    if not skipped:
        terminalreporter.line("Nothing was skipped.")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


def _refusal(report: pytest.TestReport | pytest.CollectReport) -> str:
    return f"Skipped, which CI does not allow: {_reason(report)}"
