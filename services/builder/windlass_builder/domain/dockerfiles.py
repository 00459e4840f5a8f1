"""What BuildKit says of a build that failed, as one sentence with the line of the Dockerfile."""

import re
from collections.abc import Iterator, Sequence

_PARSE_ERROR = re.compile(r"dockerfile parse error (?:on )?line (\d+): (.+)", re.IGNORECASE)
_PLACE = re.compile(r"^\S+:(\d+)$")
_STEP = re.compile(r"^ > \[[^\]]*\] (.+):$")
_EXIT = re.compile(r"exit code: (\d+)")
_KILLED = 128 + 9
_ERROR = "ERROR: "
_CAUSES = ("failed to solve: ", "rpc error: ", "failed to create LLB definition: ", "dockerfile.v0: ", "desc = ")
_NOT_IN_SOURCE = re.compile(
    r'lstat /\S*?buildkit-mount\d+/(\S+): no such file or directory|"/(\S+)" not found(?:: not found)?$'
)
_OF_THE_HOST = re.compile(
    r"unknown flag: (network|security)|(network\.host|security\.insecure) is not allowed", re.IGNORECASE
)


def failure_of(said: Sequence[str], dockerfile: str) -> tuple[str, int | None]:
    """Return what went wrong, with the line if it is known, and the exit code of a command that failed."""
    error = next((line for line in reversed(said) if line.startswith(_ERROR)), "").removeprefix(_ERROR)
    exit_code = int(found[1]) if (found := _EXIT.search(error)) else None
    line: int | None
    if parsed := _PARSE_ERROR.search(error):
        line, why = int(parsed[1]), parsed[2]
    else:
        step = next((found[1] for text in said if (found := _STEP.match(text))), None)
        line = _named_line(said) or _line_of(step, dockerfile)
        why = _why(error, step, exit_code)
    if _OF_THE_HOST.search(error):
        why = f"{why}: a build gets neither the host's network nor rights of the host"
    place = "The Dockerfile" if line is None else f"Dockerfile line {line}"
    return f"{place}: {(why or 'the build failed; its log says why').rstrip('.')}.", exit_code


def _why(error: str, step: str | None, exit_code: int | None) -> str:
    step = None if step is None else " ".join(step.split())
    if step is not None and exit_code is not None:
        killed = ", killed: most likely it used more memory than builds may" if exit_code == _KILLED else ""
        return f"{step} ended with exit code {exit_code}{killed}"
    for cause in _CAUSES:
        error = error.rpartition(cause)[2]
    if missing := _NOT_IN_SOURCE.search(error):
        error = f"there is no {missing[1] or missing[2]} in the source"
    return error if step is None or step.startswith("[internal]") else f"{step}: {error}"


def _named_line(said: Sequence[str]) -> int | None:
    """Return the line that newer releases of BuildKit name themselves."""
    return next((int(found[1]) for text in said if (found := _PLACE.match(text))), None)


def _line_of(step: str | None, dockerfile: str) -> int | None:
    """Return where the instruction begins; None where several are the same."""
    if step is None:
        return None
    wanted = " ".join(step.split())
    found = [line for line, text in _instructions(dockerfile) if " ".join(text.split()) == wanted]
    return found[0] if len(found) == 1 else None


def _instructions(dockerfile: str) -> Iterator[tuple[int, str]]:
    """Yield each instruction with the line on which it begins, its continued lines joined."""
    begun, text = 0, ""
    for number, line in enumerate(dockerfile.splitlines(), start=1):
        if line.lstrip().startswith("#") or (not text and not line.strip()):
            continue
        begun = begun if text else number
        text += line.rstrip().removesuffix("\\") + " "
        if not line.rstrip().endswith("\\"):
            yield begun, text
            text = ""
