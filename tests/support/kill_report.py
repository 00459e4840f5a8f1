"""The matrix of docs/reliability.md, written from what a whole run of the bench found."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median

from support.kill_cases import ENGINE, MACHINE, SERVERS, Action, KillCase
from support.kill_verdict import Verdict

_BEGIN, _END = "<!-- matrix: written by bench/kill.py -->", "<!-- end of the matrix -->"
_WHAT_IT_SHOWS = {
    "before_append": "the decision is taken again, from the rows",
    "after_append": "the next life finds its own event and goes on behind it; others had it already",
    "before_ack": "the wake-up comes again, and finds everything done",
    "after_ack": "nothing is awaited from the dead one any more",
    "before_commit": "rows and checkpoint are as they were, and the events are read again",
    "after_commit": "the rows hold all or nothing of a batch, and say how far they are",
    "after_build": "the release is found again, not built twice",
    "after_start": "the container is taken up by its name, not started twice",
    "after_pause": "the log and the engine are made to agree",
    "before_write": "the routes are written from the log by the next life",
    "after_write": "the file is recognised, and confirmed by the next life",
}
_OF_OTHERS = {
    "NATS": "what was acknowledged is on disk; all others connect again and go on",
    "PostgreSQL": "rows and checkpoint are those of one moment; what follows is read again",
    ENGINE: "apps answer while it is away; what it was asked for is asked again, and what it lost is started again",
    MACHINE: "what is on disk is enough: all goes on where it was, and exactly what should run runs",
    "Traefik": "it serves the last routes once it has read them; what is awaited of it is asked again",
}


def write_matrix(
    document: Path, verdicts: Sequence[Verdict], planned: int, undisturbed_s: Mapping[Action, float]
) -> None:
    """Replace the matrix in the document by what was done of all cases that were `planned`.

    Raises:
        ValueError: the document has no place for it.
    """
    before, rest = document.read_text().split(_BEGIN)
    _, after = rest.split(_END)
    killed = sorted((verdict for verdict in verdicts if verdict.killed), key=_order)
    parts = [_sentence(killed, planned, undisturbed_s), *_HEAD]
    parts += [_row(list(alike)) for _, alike in groupby(killed, key=_order)]
    document.write_text(before + _BEGIN + "\n\n" + "\n".join(parts) + "\n\n" + _END + after)


_HEAD = (
    "",
    "| killed | when | during | kills | took, s (median, longest) | back after, s (median) | it shows that |",
    "|---|---|---|---|---|---|---|",
)


def _order(verdict: Verdict) -> tuple[bool, str, str, str]:
    case = verdict.case
    return case.victim in (*SERVERS, ENGINE, MACHINE), case.victim, case.action, _moment(case)


def _moment(case: KillCase) -> str:
    return case.point.partition(":")[0]


def _sentence(killed: Sequence[Verdict], planned: int, undisturbed_s: Mapping[Action, float]) -> str:
    alone = ", ".join(f"a {action} {seconds:.1f} s" for action, seconds in undisturbed_s.items())
    return f"{len(killed)} kills, of {planned} that the whole matrix has. Undisturbed, {alone}."


def _row(alike: Sequence[Verdict]) -> str:
    case, took = alike[0].case, [verdict.took_s for verdict in alike]
    details = ", ".join(dict.fromkeys(f"`{verdict.case.point.partition(':')[2]}`" for verdict in alike))
    shows = _OF_OTHERS.get(case.victim) or _WHAT_IT_SHOWS[_moment(case)]
    when = f"{_moment(case).replace('_', ' ')} {details}"
    times = f"{median(took):.1f}, {max(took):.1f} | {median(verdict.back_s for verdict in alike):.1f}"
    return f"| {case.victim} | {when} | {case.action} | {len(alike)} | {times} | {shows} |"
