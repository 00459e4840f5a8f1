"""Manifests and locks that the package manager would stumble over: named here, with the line and what is wrong there.

Only those that the build is about to use. What they hold is never repeated: there may be a token in it.
"""

import json
import re
import tomllib

from windlass_builder.domain.detection.errors import BrokenManifestError
from windlass_builder.domain.detection.listing import MOST_TEXT, TOML_DOTS, Listing

PACKAGE = "package.json"
PROJECT = "pyproject.toml"
_REQUIREMENTS = "requirements.txt"
NPM_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
_PLACE = re.compile(r"^(.{1,200}?) \(at line (\d+), column \d+\)$", re.DOTALL)
_AT_END = re.compile(r"^(.{1,200}?) \(at end of document\)$", re.DOTALL)
_NAMED = re.compile(r"\bkey .*|\(.*|'.*", re.DOTALL)
_REPLACED = "\ufffd"
"""What stands for bytes that are no UTF-8."""


def check_manifests(build_command: str | None, runner: str, listing: Listing) -> None:
    """Make sure that the files which a detected build command reads can be read.

    Raises:
        BrokenManifestError: one cannot.
    """
    if runner == "node":
        check_json(PACKAGE, listing)
        if build_command is not None and build_command.startswith("npm "):
            for name in NPM_LOCKS:
                check_json(name, listing)
    elif runner == "python" and build_command is not None:
        if _REQUIREMENTS in build_command:
            _check_text(_REQUIREMENTS, listing)
        else:
            check_toml(PROJECT, listing)


def check_json(name: str, listing: Listing) -> None:
    """Make sure that a file, if it is there and was read whole, holds an object.

    Raises:
        BrokenManifestError: it does not.
    """
    text = _whole(name, listing)
    if text is None:
        return
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise BrokenManifestError(name, None, "it is empty")
    _check_text(name, listing)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        comma = text[: error.pos].rstrip().endswith(",")
        after = "; there is a comma before it that nothing follows" if comma and text[error.pos :][:1] in "}]" else ""
        raise BrokenManifestError(name, error.lineno, f"it is no JSON: {error.msg}{after}") from error
    except (ValueError, RecursionError) as error:
        raise BrokenManifestError(name, None, "it is nested too deeply, or holds too large a number") from error
    if not isinstance(found, dict):
        raise BrokenManifestError(name, None, "it holds no JSON object")


def check_toml(name: str, listing: Listing) -> None:
    """Make sure that a file, if it is there and was read whole, is TOML.

    Raises:
        BrokenManifestError: it is not.
    """
    text = _whole(name, listing)
    if text is None or any(line.count(".") > TOML_DOTS for line in text.splitlines()):
        return
    _check_text(name, listing)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place, at_end = _PLACE.match(str(error)), _AT_END.match(str(error))
        line = int(place[2]) if place else text.count("\n") + 1 if at_end else None
        said = (place or at_end or [None, "it cannot be parsed"])[1]
        raise BrokenManifestError(name, line, f"it is no TOML: {_NAMED.sub('', str(said)).strip()}") from error
    except (ValueError, RecursionError) as error:
        raise BrokenManifestError(name, None, "it is nested too deeply, or holds a value that is none") from error


def _check_text(name: str, listing: Listing) -> None:
    text = _whole(name, listing) or ""
    if _REPLACED in text:
        line = text[: text.index(_REPLACED)].count("\n") + 1
        raise BrokenManifestError(name, line, "it is no text in UTF-8 (Windows' shells write UTF-16 by default)")


def _whole(name: str, listing: Listing) -> str | None:
    """Return the text; None where there is none, or perhaps not all of it."""
    text = listing.texts.get(name)
    return None if text is None or len(text.encode(errors="replace")) >= MOST_TEXT else text
