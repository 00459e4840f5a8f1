"""What a Dockerfile may not ask for: what the engine itself would fetch or run, with the host's network.

Steps have a network of their own; but an address behind ADD is fetched by the engine, from the host, whose loopback and
metadata address are the platform's and the cloud's own. Addresses can be put together from variables and by quotes,
names can stand for any host: so ADD takes files of the source alone, written plainly.
"""

import json
import re
from collections.abc import Iterator

_OFFICIAL = re.compile(r"(docker\.io/)?docker/dockerfile(-upstream)?([:@]\S*)?")
_SYNTAX = re.compile(r"^\s*(?:#|//)\s*syntax\s*=\s*(\S*)", re.IGNORECASE)
_ESCAPE = re.compile(r"^\s*#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*(#|//|$)")
_ADD = re.compile(r"^\s*(?:ONBUILD\s+)*ADD\s+(.*)$", re.IGNORECASE | re.DOTALL)
_FLAG = re.compile(r"^--\S*\s+")
_PUT_TOGETHER = re.compile(r"[$\"'\\`]|://|^[\w.-]+@[\w.-]+:")
_MOST_LINES = 500


def refusal(dockerfile: str) -> str | None:
    """Return what of it is not done here, and what to do instead, as a sentence; None where all may be done."""
    lines = dockerfile.removeprefix("\ufeff").splitlines()
    if (frontend := _frontend(lines)) is not None and not _OFFICIAL.fullmatch(frontend):
        return (
            f"The Dockerfile's # syntax= names the frontend {frontend[:100]}: none but docker/dockerfile is run here."
        )
    for number, text in _instructions(lines, _escape(lines)):
        if (added := _ADD.match(text)) and any(map(_PUT_TOGETHER.search, _sources(added[1]))):
            return (
                f"Dockerfile line {number}: ADD takes files of the source alone, without variables and quotes; "
                "fetch what has an address in a step of its own: RUN curl, or RUN git clone."
            )
    return None


def _head(lines: list[str]) -> Iterator[str]:
    """Yield the lines in which a directive may stand."""
    for line in lines:
        if not _COMMENT.match(line) and not line.startswith("#!"):
            return
        yield line


def _frontend(lines: list[str]) -> str | None:
    return next((found[1] for line in _head(lines) if (found := _SYNTAX.match(line))), None)


def _escape(lines: list[str]) -> str:
    return next((found[1] for line in _head(lines) if (found := _ESCAPE.match(line))), "\\")


def _instructions(lines: list[str], escape: str) -> Iterator[tuple[int, str]]:
    """Yield what may be an instruction, with its first line; each line that looks like ADD is taken for one.

    Readers do not agree on what goes on in the next line: none of their readings hides one.
    """
    going_on = re.compile(rf"(?<!{re.escape(escape)}){re.escape(escape)}[ \t]*$")
    continued = False
    for at, line in enumerate(lines):
        if not continued or _ADD.match(line):
            yield at + 1, _joined(lines[at : at + _MOST_LINES], going_on)
        continued = bool(going_on.search(line)) or (continued and bool(_COMMENT.match(line)))


def _joined(lines: list[str], going_on: re.Pattern[str]) -> str:
    text = ""
    for line in lines:
        if text and _COMMENT.match(line):
            continue
        text += going_on.sub("", line)
        if not going_on.search(line):
            break
    return text


def _sources(arguments: str) -> list[str]:
    """Return what is added, all but the last word; with whatever flags there are."""
    while (flag := _FLAG.match(arguments)) is not None:
        arguments = arguments[flag.end() :]
    try:
        words = json.loads(arguments)
    except ValueError:
        words = arguments.split()
    return [str(word) for word in words[:-1]] if isinstance(words, list) else [arguments]
