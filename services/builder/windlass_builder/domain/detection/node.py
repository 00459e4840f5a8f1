"""Node projects: the start script, a site that a tool builds, the package's main file, or a program named server."""

import re
import shlex

from windlass_builder.domain.detection import static
from windlass_builder.domain.detection.listing import Listing, table
from windlass_builder.domain.detection.recipes import node_build_command
from windlass_builder.domain.detection.start import Start

MANIFEST = "package.json"

_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_AT_INSTALLATION = ("build", "preinstall", "install", "postinstall", "prepare")
_MANAGER = re.compile(r"(npm|pnpm|yarn)@(\d{1,9})[0-9A-Za-z.+-]{0,300}")
# What builds pages, and where it puts them unless it is told otherwise.
_SITE_BUILDERS = {
    "astro": "dist",
    "vitepress": ".vitepress/dist",
    "@docusaurus/core": "build",
    "react-scripts": "build",
    "@vue/cli-service": "dist",
    "gatsby": "public",
    "@11ty/eleventy": "_site",
    "parcel": "dist",
    "vite": "dist",
}
_OUTPUT_FOLDERS = ("dist", "build", "out", "public")
_PROGRAMS = tuple(f"{name}.{kind}" for name in ("server", "index", "app", "main") for kind in ("js", "mjs", "cjs"))
_SERVERS = tuple(name for name in _PROGRAMS if name.startswith("server."))
_COMMAND = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,9000}")
_PATH = re.compile(r"[\w@./ +-]{1,500}")
_YARN_2_LOCK = re.compile(r"(?m)^__metadata:")


def is_project(listing: Listing) -> bool:
    """Return whether the source describes itself as a Node project."""
    return MANIFEST in listing.names


def start(listing: Listing) -> Start | None:
    """Return how the source is started, if anything of it says so."""
    if not is_project(listing):
        return _lone_program(listing)
    manifest = listing.json(MANIFEST)
    scripts = table(manifest.get("scripts"))
    if command := _command(scripts.get("start")):
        return Start(_running(command, listing, plain="prestart" not in scripts), "start-script")
    if "next" in _dependencies(listing):
        return Start("exec next start --hostname 0.0.0.0 --port $PORT", "next")
    if program := _main(manifest.get("main"), listing):
        return Start(f"exec node {shlex.quote(program)}", "package-main")
    if program := next((name for name in _SERVERS if name in listing.names), None):
        return Start(f"exec node {program}", "entry-point")
    return _site(listing) or _lone_program(listing)


def build_command(listing: Listing) -> str | None:
    """Return the command that installs what the source asks for and builds it; None where it asks for nothing."""
    if not is_project(listing):
        return None
    if not _asks_for_something(listing):
        return None
    manager = package_manager(listing)
    locked = any(lock in listing.names for lock, name in _LOCKS.items() if name == manager.removesuffix("-berry"))
    script = _command(table(listing.json(MANIFEST).get("scripts")).get("build")) is not None
    return node_build_command(manager, locked=locked, script=script)


def package_manager(listing: Listing) -> str:
    """Return npm, pnpm, yarn or yarn-berry (2 and later): as package.json says, or else by the lock file's name."""
    said = listing.json(MANIFEST).get("packageManager")
    named = _MANAGER.fullmatch(said) if isinstance(said, str) else None
    if named:
        return "yarn-berry" if named[1] == "yarn" and int(named[2]) > 1 else named[1]
    name = next((manager for lock, manager in _LOCKS.items() if lock in listing.names), "npm")
    return "yarn-berry" if name == "yarn" and _YARN_2_LOCK.search(listing.texts.get("yarn.lock", "")) else name


def _running(command: str, listing: Listing, *, plain: bool) -> str:
    """Return how the start script is run: by the shell itself, as its package manager would do in the end.

    Without the package manager the app starts sooner, and needs 50 MiB less.
    """
    if not plain:
        return f"exec {package_manager(listing)} run start"
    return f"exec {command}" if re.fullmatch(r"node [\w./@:= -]+", command) else command


def _site(listing: Listing) -> Start | None:
    """Return how pages are served that the build script makes, or that lie there as they are."""
    if _command(table(listing.json(MANIFEST).get("scripts")).get("build")) is None:
        return None
    builder = next((name for name in _SITE_BUILDERS if name in _dependencies(listing)), None)
    if builder is None:
        as_it_is = (".",) if static.PAGE in listing.names else ()
        return Start(static.serving(*_OUTPUT_FOLDERS, *as_it_is), "build-script")
    word = builder.strip("@").partition("/")[0]
    return Start(static.serving(_SITE_BUILDERS[builder]), {"11ty": "eleventy", "vue": "vue-cli"}.get(word, word))


def _lone_program(listing: Listing) -> Start | None:
    """Return how a program is started that lies at the root; beside a page, most are the page's own."""
    names = _SERVERS if static.PAGE in listing.names else _PROGRAMS
    program = next((name for name in names if name in listing.names), None)
    return None if program is None else Start(f"exec node {program}", "entry-point")


def _main(main: object, listing: Listing) -> str | None:
    """Return the file that `main` of package.json names, if it is there and a program."""
    if not isinstance(main, str):
        return None
    name = main.removeprefix("./")
    candidates = (name, f"{name}.js", f"{name.rstrip('/')}/index.js")
    programs = (name for name in candidates if name.endswith((".js", ".mjs", ".cjs")) and _PATH.fullmatch(name))
    return next((name for name in programs if name in listing.names), None)


def _asks_for_something(listing: Listing) -> bool:
    """Return whether there is anything to install or to build."""
    manifest = listing.json(MANIFEST)
    wanted = (*_DEPENDENCIES, "workspaces")
    scripts = table(manifest.get("scripts"))
    return any(manifest.get(key) for key in wanted) or any(scripts.get(name) for name in _AT_INSTALLATION)


def _dependencies(listing: Listing) -> frozenset[str]:
    manifest = listing.json(MANIFEST)
    return frozenset(table(manifest.get("dependencies"))) | frozenset(table(manifest.get("devDependencies")))


def _command(script: object) -> str | None:
    """Return a script of package.json, unless it is none that a shell could run."""
    command = script.strip() if isinstance(script, str) else ""
    return command if _COMMAND.fullmatch(command) else None
