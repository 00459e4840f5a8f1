"""Which files alone decide what is installed: only then does a change of code install nothing again."""

import json

import pytest

from windlass_builder.domain.detection import Dependencies, Listing, dependencies
from windlass_builder.domain.detection.recipes import POETRY, PYPROJECT, REQUIREMENTS, UV_LOCK, node_build_command

NPM = node_build_command("npm", locked=True, script=True)
PROJECT = '[project]\nname = "shop"\ndependencies = ["idna"]\n'
PACKAGED = PROJECT + '[build-system]\nrequires = ["hatchling"]\n'


def listing(*others: str, **texts: str) -> Listing:
    names = {name.replace("_", "."): text for name, text in texts.items()}
    digests = {name: f"digest of {text}" for name, text in names.items()}
    return Listing(frozenset(names) | set(others), names, digests)


def split(command: str, found: Listing) -> Dependencies | None:
    return dependencies(command, found)


def test_requirements_alone_decide_what_pip_would_install() -> None:
    found = split(REQUIREMENTS, listing("main.py", requirements_txt="fastapi==0.1\n# why\nuvicorn[standard]>=1 ; x\n"))
    assert found == Dependencies(
        REQUIREMENTS, {"requirements.txt": "digest of fastapi==0.1\n# why\nuvicorn[standard]>=1 ; x\n"}, None
    )


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        ".",
        "./lib",
        "-r more.txt",
        "--requirement=more.txt",
        "-c c.txt",
        "lib/thing",
        "shop-1.0-py3-none-any.whl",
    ],
)
def test_requirements_that_point_at_the_source_stay_one_step(line: str) -> None:
    assert split(REQUIREMENTS, listing(requirements_txt=f"idna\n{line}\n")) is None


def test_lock_of_uv_is_installed_first_and_a_packaged_project_afterwards() -> None:
    bare = split(UV_LOCK, listing(pyproject_toml=PROJECT, uv_lock="lock"))
    assert bare is not None
    assert (bare.install, bare.rest) == (f"{UV_LOCK} --no-install-project", None)
    packaged = split(UV_LOCK, listing(pyproject_toml=PACKAGED, uv_lock="lock"))
    assert packaged is not None
    assert (packaged.rest, set(packaged.files)) == (UV_LOCK, {"pyproject.toml", "uv.lock"})


@pytest.mark.parametrize(
    "more",
    [
        '[tool.uv.sources]\nlib = { path = "lib" }',
        '[tool.uv.workspace]\nmembers = ["lib"]',
        'dynamic = ["dependencies"]',
    ],
)
def test_projects_that_point_at_their_own_files_stay_one_step(more: str) -> None:
    assert split(PYPROJECT, listing(pyproject_toml=f"{PROJECT}{more}\n")) is None


def test_npm_installs_from_the_lock_and_builds_with_the_whole_source() -> None:
    found = split(NPM, listing(package_json='{"dependencies": {"express": "5"}}', _npmrc="x"))
    assert found is not None
    assert (found.install, found.rest) == ("npm ci --include=dev", "npm run build")
    assert set(found.files) == {"package.json", ".npmrc"}


@pytest.mark.parametrize(
    "manifest",
    [
        {"scripts": {"postinstall": "node setup.js"}},
        {"dependencies": {"lib": "file:lib"}},
        {"dependencies": {"lib": "./lib"}},
        {"workspaces": ["apps/*"]},
        {"pnpm": {"patchedDependencies": {"a": "b.patch"}}},
    ],
)
def test_packages_that_point_at_their_own_files_stay_one_step(manifest: dict[str, object]) -> None:
    assert split(NPM, listing(package_json=json.dumps(manifest))) is None


@pytest.mark.parametrize("name", ["node_modules", ".venv", ".yarn", "pnpm-workspace.yaml", "patches"])
def test_what_else_takes_part_in_an_installation_keeps_it_one_step(name: str) -> None:
    assert split(NPM, listing(name, package_json='{"name": "shop"}')) is None


@pytest.mark.parametrize("command", [None, POETRY, "make", f"{REQUIREMENTS} && make"])
def test_other_commands_stay_one_step(command: str | None) -> None:
    assert dependencies(command, listing(requirements_txt="idna", pyproject_toml=PROJECT)) is None


def test_lock_that_is_no_regular_file_decides_nothing() -> None:
    found = listing(requirements_txt="idna")
    assert split(REQUIREMENTS, Listing(found.names | {"uv.toml"}, found.texts, found.digests)) is None


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "line",
    ["a" + " " * 250_000 + "x", " " * 250_000 + "/", "a[" * 125_000, "a" * 250_000 + "/", "a" + "-.whl" * 50_000],
)
def test_hostile_requirements_are_read_in_no_time(line: str) -> None:
    assert split(REQUIREMENTS, listing(requirements_txt=line)) is None
