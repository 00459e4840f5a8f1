"""The way of a deployment, from a commit to its address, on a whole installation of each runtime."""

import pytest

from support.installations import GitHost, read_example
from support.story import Story

WAY = [
    "deployment.requested.v1",
    "build.started.v1",
    "build.succeeded.v1",
    "container.started.v1",
    "health.passed.v1",
    "cutover.started.v1",
    "deployment.live.v1",
]


def test_a_commit_becomes_live_at_its_address_by_events_alone(story: Story, git_host: GitHost) -> None:
    repository, url = git_host.repository("hello-python")
    commit = repository.git("rev-parse", "HEAD")
    deployment = story.deploy(url)
    assert (deployment["phase"], deployment["commit"]) == ("live", commit)
    assert story.answer() == (200, f"Hello from Windlass, commit {commit[:12]}.\n")
    assert story.types_of(deployment["id"]) == WAY


def test_the_next_commit_takes_the_address_and_the_previous_one_is_kept_warm(story: Story, git_host: GitHost) -> None:
    repository, url = git_host.repository("hello-python")
    first = story.deploy(url, retirement={"drain_s": 1, "grace_s": 1, "keep_warm_s": 600})
    commit = repository.commit({"VERSION": "2"})
    story.deploy(url)
    assert commit[:12] in story.answer()[1]
    story.waited_for("container.paused.v1", first["id"])
    assert commit[:12] in story.answer()[1]


def test_a_rollback_answers_with_the_version_before(story: Story, git_host: GitHost) -> None:
    repository, url = git_host.repository("hello-python")
    before = repository.git("rev-parse", "HEAD")
    first = story.deploy(url, retirement={"drain_s": 1, "grace_s": 1, "keep_warm_s": 600})
    repository.commit({"VERSION": "2"})
    story.deploy(url)
    story.waited_for("container.paused.v1", first["id"])
    said = story.platform.windlass("rollback", story.project)
    assert said.returncode == 0, said.stderr
    assert before[:12] in story.answer()[1]


def test_commands_find_python_by_its_short_name(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    deployment = story.deploy(url, build_command="python --version", start_command="exec python server.py")
    assert deployment["phase"] == "live", deployment["failure"]


def test_the_same_request_sent_twice_is_one_deployment(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    body = {"git": url, "ref": "main", "project": story.project}
    answers = [story.platform.api("POST", "/deployments", body, {"Idempotency-Key": "k1"}) for _ in range(2)]
    assert answers[0][1]["deployment"] == answers[1][1]["deployment"]
    assert story.ended(answers[0][1]["deployment"])["phase"] == "live"


def test_requirements_are_installed_and_fastapi_is_started_without_being_told_how(
    story: Story, git_host: GitHost
) -> None:
    _, url = git_host.repository("hello-fastapi")
    deployment = story.deploy(url)
    assert deployment["phase"] == "live", deployment["failure"]
    assert "Hello from FastAPI" in story.answer()[1]
    assert any("fastapi" in line for line in story.lines(deployment["id"]))


def test_node_app_is_started_as_its_package_says(story: Story, git_host: GitHost) -> None:
    repository, url = git_host.repository("hello-node")
    commit = repository.git("rev-parse", "HEAD")
    deployment = story.deploy(url)
    assert deployment["phase"] == "live", deployment["failure"]
    status, page = story.answer()
    assert (status, "Hello from Node" in page, commit[:12] in page) == (200, True, True)


def test_pages_are_served_without_being_told_how(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-static")
    deployment = story.deploy(url)
    assert deployment["phase"] == "live", deployment["failure"]
    status, page = story.answer()
    assert (status, "Hello from plain pages" in page) == (200, True)


def test_what_an_app_prints_is_read_with_the_command(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    deployment = story.deploy(url)
    assert "Listening on port" in " ".join(story.lines(deployment["id"]))


@pytest.mark.parametrize(
    ("example", "stage", "code", "reason"),
    [
        ("fails-in-build", "build", "build-exited", "exit code"),
        ("fails-at-start", "start", "exited", "exit code 3"),
        ("fails-its-probe", "health", "bad-status", "500"),
    ],
)
def test_a_failure_says_where_and_why_and_leaves_the_live_version_alone(
    story: Story, git_host: GitHost, example: str, stage: str, code: str, reason: str
) -> None:
    repository, url = git_host.repository("hello-python")
    live = repository.git("rev-parse", "HEAD")
    story.deploy(url)
    repository.git("rm", "--quiet", "-r", ".")
    repository.commit(read_example(example))
    failed = story.deploy(url, deadlines={"health_s": 5} if stage == "health" else {})  # the others fail at once
    assert (failed["phase"], failed["failure"]["stage"], failed["failure"]["code"]) == ("failed", stage, code)
    assert reason in failed["failure"]["reason"]
    assert live[:12] in story.answer()[1]


@pytest.mark.parametrize(
    ("path", "ref", "code"),
    [
        ("/no-such-repository", "main", "repository-not-found"),
        ("/private/app", "main", "login-needed"),
        (None, "no-such-branch", "ref-not-found"),
        (None, "0" * 40, "ref-not-found"),
    ],
)
def test_a_source_that_cannot_be_had_fails_with_what_to_do(
    story: Story, git_host: GitHost, path: str | None, ref: str, code: str
) -> None:
    _, url = git_host.repository("hello-python")
    failed = story.deploy(url if path is None else f"{git_host.url}{path}", ref)
    assert (failed["failure"]["stage"], failed["failure"]["code"]) == ("fetch", code)


def test_an_app_that_never_listens_fails_within_its_deadline_and_is_stopped(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    failed = story.deploy(url, start_command="exec sleep 600", deadlines={"health_s": 2})
    assert (failed["failure"]["stage"], failed["failure"]["code"]) == ("health", "not-listening")
    story.waited_for("container.stopped.v1", failed["id"])


def test_a_build_that_hangs_is_stopped_at_its_deadline(story: Story, git_host: GitHost) -> None:
    _, url = git_host.repository("hello-python")
    failed = story.deploy(url, build_command="sleep 600", deadlines={"build_s": 2})
    assert (failed["failure"]["stage"], failed["failure"]["code"]) == ("build", "build-timed-out")


def test_a_canceled_build_ends_and_leaves_the_live_version_alone(story: Story, git_host: GitHost) -> None:
    repository, url = git_host.repository("hello-python")
    live = repository.git("rev-parse", "HEAD")
    story.deploy(url)
    deployment = story.request(url, build_command="sleep 600")
    story.waited_for("build.started.v1", deployment)
    status, answer = story.platform.api("POST", f"/deployments/{deployment}/cancel")
    assert status in {200, 202}, answer
    assert story.ended(deployment)["phase"] == "canceled"
    assert live[:12] in story.answer()[1]
