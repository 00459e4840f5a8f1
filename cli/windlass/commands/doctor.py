"""`windlass doctor`."""

import asyncio
import os
from pathlib import Path

import typer

from windlass.commands.checks import check_all
from windlass.commands.running import AsJson, print_json, print_line
from windlass.commands.verdict import Check, Verdict

_MARKS = {Verdict.GOOD: "ok  ", Verdict.WARNING: "warn", Verdict.BAD: "FAIL"}


def doctor(*, as_json: AsJson = False) -> None:
    """Check the installation, and say what to do. Exits with 1 if something does not work."""
    checks = asyncio.run(check_all(os.environ, Path.cwd()))
    if as_json:
        print_json({"healthy": _healthy(checks), "checks": [check.document() for check in checks]})
    else:
        for check in checks:
            print_line(f"{_MARKS[check.verdict]}  {check.name:<10}  {check.says}")
            if check.remedy:
                print_line(f"{'':>18}{check.remedy}")
    if not _healthy(checks):
        raise typer.Exit(1)


def _healthy(checks: list[Check]) -> bool:
    return all(check.verdict is not Verdict.BAD for check in checks)
