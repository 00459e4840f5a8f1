"""Python projects: Django, FastAPI, Flask, what uvicorn or gunicorn serve, scripts of the project, lone programs."""

import re
import shlex

from windlass_builder.domain.detection.listing import PYTHON_PROGRAMS, Listing, strings, table
from windlass_builder.domain.detection.recipes import python_build_command
from windlass_builder.domain.detection.start import Start

_DESCRIBES = frozenset({"requirements.txt", "pyproject.toml", "manage.py", "uv.lock", "poetry.lock"})
# https://packaging.python.org/en/latest/specifications/name-normalization/
_REQUIREMENT = re.compile(r"[ \t]*([A-Za-z0-9][A-Za-z0-9._-]{0,99})")
_MODULES = {**{name: name.removesuffix(".py") for name in PYTHON_PROGRAMS}, "app/main.py": "app.main"}
_PACKAGE = {"app/__init__.py": "app"}
_APP = r"(?m)^([A-Za-z_]\w{{0,99}})[ \t]*(?::[^=\n]{{0,200}})?=[ \t]*(?:[A-Za-z_]\w{{0,99}}\.)?{}\("
_FASTAPI, _FLASK = re.compile(_APP.format("FastAPI")), re.compile(_APP.format("Flask"))
_WSGI, _ASGI = re.compile(r"[A-Za-z_]\w{0,99}/wsgi\.py"), re.compile(r"[A-Za-z_]\w{0,99}/asgi\.py")
_SCRIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LIKELY_SCRIPTS = ("serve", "server", "web", "start", "app")


def is_project(listing: Listing) -> bool:
    """Return whether the source describes itself as a Python project."""
    return not _DESCRIBES.isdisjoint(listing.names)


def project_start(listing: Listing) -> Start | None:
    """Return how the source is started, if it describes itself as a Python project."""
    return start(listing) if is_project(listing) else None


def start(listing: Listing) -> Start | None:
    """Return how the source is started: by its framework, its server, its script, or the program it consists of."""
    if found := _served(listing, requirements(listing)):
        return found
    if script := _script(listing):
        return Start(f"exec {shlex.quote(script)}", "project-script")
    program = next((name for name in PYTHON_PROGRAMS if name in listing.names), None)
    return None if program is None else Start(f"exec python3 {program}", "entry-point")


def _served(listing: Listing, required: frozenset[str]) -> Start | None:
    """Return how a web framework's app is served."""
    if "manage.py" in listing.names:
        return _django(listing, required)
    if "fastapi" in required and (found := _module(listing, _FASTAPI)):
        return Start(_uvicorn(*found), "fastapi")
    if "gunicorn" in required and (found := _module(listing, _FLASK, _PACKAGE)):
        return Start(_gunicorn(*found), "gunicorn")
    if "flask" in required and (found := _module(listing, _FLASK, _PACKAGE)):
        return Start(f"exec flask --app {found[0]} run --host 0.0.0.0 --port $PORT", "flask")
    if "uvicorn" in required and (found := _module(listing, _FASTAPI)):
        return Start(_uvicorn(*found), "uvicorn")
    return None


def build_command(listing: Listing) -> str | None:
    """Return the command that installs what the source asks for; None where it needs the standard library alone."""
    described = listing.toml("pyproject.toml")
    poetry = bool(_of_poetry(listing)) and "project" not in described
    files = listing.names
    if described and not (poetry or "project" in described):  # the settings of a linter, and no project
        files -= {"pyproject.toml"}
    return python_build_command(files, poetry=poetry, packaged=bool(_scripts(listing)))


def requirements(listing: Listing) -> frozenset[str]:
    """Return the normalized names of the packages that the source asks for by itself."""
    described = table(listing.toml("pyproject.toml").get("project"))
    asked = [*listing.texts.get("requirements.txt", "").splitlines(), *strings(described.get("dependencies"))]
    asked += [name for name in table(_of_poetry(listing).get("dependencies")) if name != "python"]
    names = (match[1] for line in asked if (match := _REQUIREMENT.match(line)))
    return frozenset(re.sub(r"[-_.]+", "-", name).lower() for name in names)


def _django(listing: Listing, required: frozenset[str]) -> Start:
    wsgi = min((name for name in listing.names if _WSGI.fullmatch(name)), default=None)
    asgi = min((name for name in listing.names if _ASGI.fullmatch(name)), default=None)
    if "gunicorn" in required and wsgi:
        return Start(_gunicorn(_dotted(wsgi), "application"), "django")
    if "uvicorn" in required and asgi:
        return Start(_uvicorn(_dotted(asgi), "application"), "django")
    return Start("exec python3 manage.py runserver --noreload 0.0.0.0:$PORT", "django")


def _module(listing: Listing, makes: re.Pattern[str], more: dict[str, str] | None = None) -> tuple[str, str] | None:
    """Return the module and the variable of the app: where a text makes one, or else where one usually is."""
    candidates = {name: module for name, module in {**_MODULES, **(more or {})}.items() if name in listing.names}
    for name, module in candidates.items():
        if found := makes.search(listing.texts.get(name, "")):
            return module, found[1]
    for name, module in candidates.items():
        text = listing.texts.get(name, "")
        if re.search(r"(?m)^application\b", text) and not re.search(r"(?m)^app\b", text):
            return module, "application"
        return module, "app"
    return None


def _script(listing: Listing) -> str | None:
    """Return the one script that the project installs, or, of several, the one that sounds like the app."""
    names = [name for name in _scripts(listing) if _SCRIPT.fullmatch(name)]
    project = table(listing.toml("pyproject.toml").get("project")).get("name")
    likely = [name for name in (project, *_LIKELY_SCRIPTS) if name in names]
    return names[0] if len(names) == 1 else next(iter(likely), None)


def _scripts(listing: Listing) -> list[str]:
    described = listing.toml("pyproject.toml")
    if "build-system" not in described:  # then nothing of the project itself is installed
        return []
    return [*table(table(described.get("project")).get("scripts")), *table(_of_poetry(listing).get("scripts"))]


def _of_poetry(listing: Listing) -> dict[str, object]:
    return dict(table(table(listing.toml("pyproject.toml").get("tool")).get("poetry")))


def _uvicorn(module: str, variable: str) -> str:
    return f"exec uvicorn {module}:{variable} --host 0.0.0.0 --port $PORT"


def _gunicorn(module: str, variable: str) -> str:
    return f"exec gunicorn --bind 0.0.0.0:$PORT {module}:{variable}"


def _dotted(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")
