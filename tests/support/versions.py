"""One project whose versions are numbered, each deployed after the one before was said to be live."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.git_server import Repository, make_repository, smart_http
from support.platform import Platform
from support.ports import free_port

APP = Path(__file__).with_name("streaming_app.py")
PROJECT = "bench"
SHORT_RETIREMENT = {"drain_s": 1, "grace_s": 1, "keep_warm_s": 900}
"""A replaced version may be paused 2 s after the routes left it: sooner than the slow requests end."""


@dataclass
class Versions:
    """`deployed` names the deployments by their version, which is what their answer is."""

    platform: Platform
    repository: Repository
    url: str
    deployed: dict[int, str] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    """Where the log has the request of each deployment."""

    @property
    def host(self) -> str:
        return f"{PROJECT}.localhost:{self.platform.port}"

    @property
    def next(self) -> int:
        return len(self.deployed) + 1

    async def deploy_next(self) -> int:
        """Deploy the next version; return its number once it is said to be live."""
        return await asyncio.to_thread(self._deploy_next)

    def ask_next(self) -> str:
        """Ask for the next version to be deployed, and return its deployment."""
        version = self.next
        sha = self.repository.commit({"VERSION": str(version)})
        config = {"start_command": "exec python3 server.py", "retirement": SHORT_RETIREMENT}
        body = {"git": self.url, "ref": sha, "project": PROJECT, "config": config}
        status, answer = self.platform.api("POST", "/deployments", body)
        assert status == 202, answer
        self.deployed[version] = answer["deployment"]
        self.asked[answer["deployment"]] = answer["sequence"]
        return str(answer["deployment"])

    def _deploy_next(self) -> int:
        version = self.next
        self.wait_for({"deployment.live.v1"}, self.ask_next())
        return version

    def wait_for(self, types: set[str], about: str) -> Mapping[str, Any]:
        """Wait on the log for an event about a deployment; a failure is an error."""
        for event in self.platform.follow_events(self.asked[about]):
            if event["about"] == about and event["type"] in types:
                return event
            assert event["type"] != "deployment.failed.v1", event
        message = f"the log ended without {types}"
        raise AssertionError(message)


@contextmanager
def numbered_versions(folder: Path, runtime: str = "docker") -> Iterator[Versions]:
    """Yield a project on an installation of its own."""
    with ExitStack() as stack:
        repository = make_repository(folder / "git" / "app", {"server.py": APP.read_text(), "VERSION": "0"})
        url = stack.enter_context(smart_http(folder / "git")) + "/app"
        environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true"}
        platform = stack.enter_context(Platform(folder / "home", free_port(), runtime, environment))
        yield Versions(platform, repository, url)
