"""The standard build commands, by the files at the root of the source.

For Python each makes the environment `.venv` in the app's folder, and for Node `node_modules`: their programs come
first in the PATH of builds and runners. A lock is installed as it stands, and has to fit what it was made from.
"""

from collections.abc import Collection

# Without the project's development tools.
UV_LOCK = "uv sync --locked --no-dev"
# uv alone: it makes the environment and installs in a third of the time that venv and pip take together.
REQUIREMENTS = "uv venv --quiet .venv && uv pip install --python .venv/bin/python --requirement requirements.txt"
PYPROJECT = "uv sync --no-dev"
# uv cannot read Poetry's lock: Poetry itself installs it, from an environment of its own beside the app's. It is not
# told of the runner's own environment, which it would take for the app's.
_POETRY = "env -u VIRTUAL_ENV POETRY_VIRTUALENVS_IN_PROJECT=true uvx poetry@2.5.1"
POETRY = f"{_POETRY} install --only main --no-interaction"


def python_build_command(files: Collection[str], *, poetry: bool = False, packaged: bool = True) -> str | None:
    """Return the command that installs what the source asks for; None where it needs the standard library alone.

    A lock wins over a list of requirements, and that over bare project metadata. `poetry` says that this metadata is
    Poetry's own, `packaged` that the project itself is to be installed too, which uv finds out by itself.
    """
    described = "pyproject.toml" in files
    with_poetry = POETRY if packaged else f"{POETRY} --no-root"
    if described and "uv.lock" in files:
        return UV_LOCK
    if described and "poetry.lock" in files:
        return with_poetry
    if "requirements.txt" in files:
        return REQUIREMENTS
    if described:
        return with_poetry if poetry else PYPROJECT
    return None


# Tools for the build are installed too, though apps run, and are built, with NODE_ENV=production.
_INSTALL = {
    ("npm", True): "npm ci --include=dev",
    ("npm", False): "npm install --include=dev",
    ("pnpm", True): "pnpm install --frozen-lockfile --prod=false",
    ("pnpm", False): "pnpm install --no-frozen-lockfile --prod=false",
    ("yarn", True): "yarn install --frozen-lockfile --production=false",
    ("yarn", False): "yarn install --production=false",
    # Yarn 2 and later: another program than Yarn 1.
    ("yarn-berry", True): "yarn-berry install --immutable",
    ("yarn-berry", False): "yarn-berry install --no-immutable",
}


def node_build_command(manager: str, *, locked: bool, script: bool) -> str:
    """Return the command that installs what package.json asks for, and runs its build script where it has one."""
    install = _INSTALL[manager, locked]
    return f"{install} && {manager} run build" if script else install
