"""What BuildKit, registries and engines say becomes one sentence with a place and a way out."""

import pytest

from windlass_builder.domain.detection import DOCKERFILE, Listing, NothingToStartError, detect, start_command
from windlass_builder.domain.dockerfiles import failure_of
from windlass_builder.domain.images import PullProblem, pull_problem, registry_of, repository_of, runs_as_root
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events.deployment import Recipe

FRONTEND = "ERROR: failed to solve: rpc error: code = Unknown desc = failed to solve with frontend dockerfile.v0: "
LLB = f"{FRONTEND}failed to create LLB definition: "


def test_command_that_failed_is_named_with_its_line_and_exit_code() -> None:
    said = [
        "#5 ERROR: executor failed running [/bin/sh -c echo hello  && false]: exit code: 3",
        "------",
        " > [2/2] RUN echo hello  && false:",
        "------",
        "ERROR: failed to solve: executor failed running [/bin/sh -c echo hello  && false]: exit code: 3",
    ]
    text = "FROM base\n\n# why\nRUN echo hello \\\n # and\n && false\n"
    assert failure_of(said, text) == ("Dockerfile line 4: RUN echo hello && false ended with exit code 3.", 3)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (f"{LLB}dockerfile parse error line 2: unknown instruction: RUNN", "line 2: unknown instruction: RUNN"),
        (f"{LLB}dockerfile parse error line 7: Unknown flag: network", "line 7: Unknown flag: network: a build gets"),
        ("ERROR: failed to solve: network.host is not allowed", "network.host is not allowed: a build gets neither"),
        (f"{LLB}no such host", "The Dockerfile: no such host."),
        ("", "The Dockerfile: the build failed; its log says why."),
    ],
)
def test_other_errors_are_said_without_what_only_buildkit_understands(error: str, sentence: str) -> None:
    what, exit_code = failure_of(["#1 whatever", error], "FROM base\n")
    assert sentence in what
    assert exit_code is None


def test_newer_releases_name_the_line_themselves() -> None:
    error = 'ERROR: failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 1'
    said = [" > [2/2] RUN false:", "Dockerfile:9", "-----", error]
    assert failure_of(said, "") == ("Dockerfile line 9: RUN false ended with exit code 1.", 1)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("manifest for 127.0.0.1:5000/x@sha256:00 not found: manifest unknown", PullProblem.NOT_FOUND),
        ("pull access denied for x, repository does not exist or may require 'docker login'", PullProblem.LOGIN_NEEDED),
        ("unauthorized: authentication required", PullProblem.LOGIN_NEEDED),
        ("manifest verification failed for digest sha256:00", PullProblem.MISMATCH),
        ("Get http://x/v2/: dial tcp: lookup x: no such host", PullProblem.UNREACHABLE),
        ("Get http://127.0.0.1:1/v2/: dial tcp 127.0.0.1:1: connect: connection refused", PullProblem.UNREACHABLE),
    ],
)
def test_kinds_of_what_an_engine_says_are_told_apart(said: str, problem: PullProblem) -> None:
    assert pull_problem(said) is problem


@pytest.mark.parametrize(
    ("reference", "registry", "repository"),
    [
        ("nginx:1", "docker.io", "nginx"),
        ("owner/shop", "docker.io", "owner/shop"),
        ("127.0.0.1:5000/shop:1", "127.0.0.1:5000", "127.0.0.1:5000/shop"),
        ("ghcr.io/owner/shop@sha256:00", "ghcr.io", "ghcr.io/owner/shop"),
        ("localhost/shop", "localhost", "localhost/shop"),
    ],
)
def test_registry_and_repository_of_a_reference(reference: str, registry: str, repository: str) -> None:
    assert (registry_of(reference), repository_of(reference)) == (registry, repository)


@pytest.mark.parametrize(("user", "root"), [("", True), ("0:10", True), ("root", True), ("node", False), ("10", False)])
def test_root_is_known_by_name_and_number(user: str, root: bool) -> None:  # noqa: FBT001 - a case
    assert runs_as_root(user) is root


def listing(*names: str) -> Listing:
    return Listing(frozenset(names), {"Procfile": "web: run"} if "Procfile" in names else {})


def test_dockerfile_at_the_root_says_it_all_unless_something_else_is_configured() -> None:
    both = listing("Dockerfile", "server.py", "Procfile")
    assert detect(DeploymentConfig(), both).runner == DOCKERFILE
    assert detect(DeploymentConfig(start_command="run"), both).start_command == "run"
    assert detect(DeploymentConfig(runner="python"), both).runner == "python"
    assert detect(DeploymentConfig(build_command="make"), both).runner == "python"
    assert detect(DeploymentConfig(), both, images=False).runner == "python"
    assert detect(DeploymentConfig(dockerfile="web.Dockerfile"), listing("server.py")).runner == DOCKERFILE


def test_image_says_itself_how_it_starts_and_a_runner_does_not() -> None:
    assert start_command(Recipe(runner=DOCKERFILE)) is None
    with pytest.raises(NothingToStartError):
        start_command(Recipe(runner="python"))


@pytest.mark.parametrize(
    "why",
    [
        'failed to compute cache key: "/etc/passwd" not found: not found',
        "failed to walk /x/buildkit-mount3/etc: lstat /x/buildkit-mount3/etc/passwd: no such file or directory",
    ],
)
def test_what_is_not_in_the_source_is_said_without_the_engines_own_folders(why: str) -> None:
    said = [" > [2/2] COPY ../../etc/passwd /x:", f"ERROR: failed to solve: {why}"]
    what = "Dockerfile line 2: COPY ../../etc/passwd /x: there is no etc/passwd in the source."
    assert failure_of(said, "FROM base\nCOPY ../../etc/passwd /x\n") == (what, None)
