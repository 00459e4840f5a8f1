"""Templates become pages. What a template is given is escaped; what it forgets to be given is an error."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import cast

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from windlass_gateway.entrypoints.context import Context
from windlass_gateway.entrypoints.pages import sparkline, words
from windlass_gateway.entrypoints.pages.assets import assets
from windlass_gateway.entrypoints.pages.settings_words import setting_name, setting_value

_THEMES = frozenset({"light", "dark"})


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("windlass_gateway", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(static=assets().address, icon_address=assets().icon, now=_now)
    environment.filters.update(
        age=words.age, until=words.until, duration=words.duration, short=words.short, size=words.size
    )
    environment.filters.update(sparkline=sparkline.sparkline, bars=sparkline.bars, share=sparkline.share)
    environment.filters.update(setting_name=setting_name, setting_value=setting_value)
    return environment


def _now() -> datetime:
    return datetime.now(UTC)


_TEMPLATES = _environment()


def render(request: Request, template: str, *, status: int = HTTPStatus.OK, **context: object) -> HTMLResponse:
    """Return a whole page; `visitor`, where there is one, is whom it is for."""
    theme = request.cookies.get("theme", "")
    shared = cast("Context", request.app.state.context)
    around = {
        "theme": theme if theme in _THEMES else "",
        "path": request.url.path,
        "visitor": None,
        "dead_letters": 0,
        "halted": shared.gateway.rows.halted,
    }
    text = _TEMPLATES.get_template(template).render({**around, **context})
    return HTMLResponse(text, status, {"Cache-Control": "no-store"})


def part(template: str, **context: object) -> str:
    """Return a part of a page, the same for whoever sees it: what a live frame carries."""
    return _TEMPLATES.get_template(template).render(context)


def in_place(target: str, template: str, **context: object) -> str:
    """Return a part of a page that takes the place of the element with that id."""
    return f'<hx-partial hx-target="#{target}" hx-swap="outerMorph">{part(template, **context)}</hx-partial>'


def compile_all() -> None:
    """Compile every template, so that nobody's first look at a page waits for it; takes a few hundred milliseconds."""
    for name in _TEMPLATES.list_templates():
        _TEMPLATES.get_template(name)
