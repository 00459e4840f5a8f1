"""A whole installation for each runtime, started once by `windlass up`, and repositories that it deploys."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.failpoint_folder import FailpointFolder
from support.git_server import Repository, make_repository, smart_http
from support.platform import Platform
from support.ports import free_port
from support.story import Story

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@dataclass(frozen=True)
class GitHost:
    """A Git server on loopback; every repository on it is new."""

    url: str
    folder: Path

    def repository(self, example: str) -> tuple[Repository, str]:
        """Return a repository that holds an example, and its address."""
        name = f"{example}-{secrets.token_hex(3)}"
        return make_repository(self.folder / name, read_example(example)), f"{self.url}/{name}"


def read_example(example: str) -> dict[str, str]:
    folder = EXAMPLES / example
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def git_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHost]:
    folder = tmp_path_factory.mktemp("git")
    with smart_http(folder) as url:
        yield GitHost(url, folder)


@pytest.fixture(scope="session", params=["docker", "process"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Yield an installation of its own; everything that belongs to it is gone afterwards."""
    runtime = str(request.param)
    if runtime == "docker":
        request.getfixturevalue("runner_images")
    folder = tmp_path_factory.mktemp(f"windlass-{runtime}")
    failpoints = FailpointFolder.made(folder / "failpoints")
    environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true", **failpoints.environment}
    with Platform(folder / "home", free_port(), runtime, environment) as running:
        yield running


@pytest.fixture
def story(platform: Platform) -> Story:
    """Return a project of its own on the platform."""
    return Story(platform, f"app-{secrets.token_hex(3)}")
