"""The styles that templates name are those that were made: a utility that nobody made lays out nothing, in silence."""

import re
from collections.abc import Iterator
from pathlib import Path

import windlass_gateway

PACKAGE = Path(windlass_gateway.__file__).parent
_CLASSES = re.compile(r'class="([^"]*)"')
_OF_THE_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_UTILITY = re.compile(r"(?:[a-z]+:)?(?:basis|grid-cols|min-w|max-w|min-h|max-h|gap|gap-x|gap-y)-\S+")
"""Those that lay out; a name without a style may be a hook for scripts."""


def utilities() -> Iterator[tuple[str, str]]:
    for template in PACKAGE.rglob("templates/**/*.html"):
        for names in _CLASSES.findall(template.read_text()):
            for name in _OF_THE_TEMPLATE.sub(" ", names).split():
                if _UTILITY.fullmatch(name):
                    yield template.name, name


def test_what_templates_are_laid_out_by_is_in_the_stylesheet() -> None:
    (sheet,) = PACKAGE.glob("static/app.*.css")
    styles = sheet.read_text().replace("\\", "")
    found = list(utilities())
    assert len(found) > 100
    assert [(template, name) for template, name in found if f".{name}" not in styles] == []
