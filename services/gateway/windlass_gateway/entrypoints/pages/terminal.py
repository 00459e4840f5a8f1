"""Lines as programs write them for terminals, as HTML: colours become classes, and no other sequence gets through."""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from windlass_gateway.entrypoints.pages.sgr import PLAIN, Style

_SEQUENCE = (
    r"\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f]"
)
"""All that is not shown, but for the carriage return."""

_TOKEN = re.compile(rf"\x1b\[(?P<sgr>[0-9;:]*)m|(?P<begin>\r+)|{_SEQUENCE}")
_UNSEEN = re.compile(_SEQUENCE)


def html(text: str) -> Markup:
    """Return one line; of what was written over itself after a carriage return, the last version."""
    return Markup("").join(_span(style, part) for style, part in runs(text))


def plain(text: str) -> str:
    """Return one line as a person reads it, without colours: the parts of `runs`, for searches much sooner."""
    return text if text.isprintable() else _UNSEEN.sub("", text).rstrip("\r").rpartition("\r")[2]


def runs(text: str) -> list[tuple[Style, str]]:
    """Return the parts of a line, each with its style."""
    if text.isprintable():
        return [(PLAIN, text)] if text else []
    found: list[tuple[Style, str]] = []
    style, begins_anew = PLAIN, False
    for part, sgr, begin in _tokens(text):
        begins_anew = begins_anew or begin
        if sgr is not None:
            style = style.after(sgr)
        elif part:
            if begins_anew:
                found.clear()
                begins_anew = False
            found.append((style, part))
    return found


def _tokens(text: str) -> Iterator[tuple[str, str | None, bool]]:
    """Yield text, the parameters of an SGR sequence, or that the line begins anew."""
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() > end:
            yield text[end : token.start()], None, False
        yield "", token["sgr"], token["begin"] is not None
        end = token.end()
    if end < len(text):
        yield text[end:], None, False


def _span(style: Style, text: str) -> Markup:
    classes = style.classes
    return Markup('<span class="{}">{}</span>').format(classes, text) if classes else escape(text)
