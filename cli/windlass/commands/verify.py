"""`windlass verify`: whether what always holds does hold, as far as each service can tell."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from windlass.api import Api, Json
from windlass.commands.operations import SERVICES, carried_out, meant
from windlass.commands.progress import telling
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.commands.table import print_table
from windlass.errors import CommandError
from windlass.terminal import plain

_FOUND, _UNKNOWN = 1, 2

_INVARIANTS = {
    1: "every request ends, once and in time",
    2: "routes point at what is healthy, and are applied",
    3: "nothing fails a request",
    4: "the latest request wins",
    5: "rows are what the log says",
    6: "what should run runs",
    7: "apps are kept apart",
    8: "secrets are kept",
    9: "a refusal changes nothing",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one service said: a result, or why there is none."""

    service: str
    result: Json | None
    why: str = ""
    remedy: str = ""

    @classmethod
    def of(cls, service: str, end: Json) -> "Verdict":
        if end["state"] == "done":
            return cls(service, end["result"])
        return cls(service, None, end["reason"], end["remedy"])

    def document(self) -> Json:
        if self.result is None:
            return {"service": self.service, "verified": False, "reason": self.why, "remedy": self.remedy}
        return {"service": self.service, "verified": True, **self.result}


def verify(
    services: Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help="All, if none is named.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare rows, engine, proxy and log with one another. Changes nothing.

    Exits with 0 if all is as it should be, 1 if something is not, 2 if it could not be found out.
    """
    wanted = meant(services or SERVICES)

    async def verified_and_told(api: Api) -> list[Verdict]:
        with telling(silent=as_json) as teller:
            return await verified(api, wanted, teller.tell)

    verdicts = run(verified_and_told)
    if as_json:
        print_json(verification(verdicts))
    else:
        _print(verdicts)
    if code := _exit_code(verdicts):
        raise typer.Exit(code)


async def verified(api: Api, services: Sequence[str], tell: Callable[[str, Json], None]) -> list[Verdict]:
    """Return what each of the services says, all asked at once; `tell` is told how far each of them is."""
    return await asyncio.gather(*(_verified(api, service, partial(tell, service)) for service in services))


def verification(verdicts: Sequence[Verdict]) -> Json:
    """Return the document of `--json`: `clean` where all could be verified, and nothing was found."""
    return {"clean": _exit_code(verdicts) == 0, "services": [one.document() for one in verdicts]}


async def _verified(api: Api, service: str, tell: Callable[[Json], None]) -> Verdict:
    try:
        end = await carried_out(api, service, "verify", tell)
    except CommandError as error:
        return Verdict(service, None, error.what, error.remedy)
    return Verdict.of(service, end)


def _exit_code(verdicts: Sequence[Verdict]) -> int:
    if any(one.result is None for one in verdicts):
        return _UNKNOWN
    return _FOUND if any(one.result["findings"] for one in verdicts if one.result) else 0


def _print(verdicts: Sequence[Verdict]) -> None:
    results = [(one.service, one.result) for one in verdicts if one.result is not None]
    findings = [(service, finding) for service, result in results for finding in result["findings"]]
    rows = []
    for number, name in _INVARIANTS.items():
        looked = [one for _, result in results for one in result["checked"] if one["invariant"] == number]
        wrong = sum(finding["invariant"] == number for _, finding in findings)
        if looked or wrong:
            what = ", ".join(f"{one['count']:,} {plain(one['what'])}" for one in looked)
            rows.append((str(number), name, f"{wrong} WRONG" if wrong else "ok", what))
    print_table(("", "WHAT ALWAYS HOLDS", "", "LOOKED AT"), rows)
    for service, finding in findings:
        print_line(f"\n{finding['invariant']} {plain(finding['where'])} ({service}, {finding['code']})")
        print_line(f"  {plain(finding['what'])}")
        print_line(f"  {plain(finding['remedy'])}")
    for service, result in results:
        if result["left_out"]:
            print_line(f"\n{service}: {result['left_out']} more that had no room here.")
    for one in verdicts:
        if one.result is None:
            print_line(f"\n{one.service}: could not be verified. {plain(one.why)}")
            print_line(f"  {plain(one.remedy)}")
