"""A repository is looked into before anything of it is deployed, by the events of a whole installation."""

from collections.abc import Mapping
from typing import Any

import pytest

from support.installations import GitHost
from support.platform import Platform


def looked_into(platform: Platform, body: Mapping[str, object]) -> Mapping[str, Any]:
    """Ask, wait for the answer on the log itself, and return what the API says of it."""
    status, accepted = platform.api("POST", "/inspections", body)
    assert status == 202, accepted
    for event in platform.follow_events():
        answered = event["type"] in {"inspection.answered.v1", "inspection.failed.v1"}
        if answered and event["about"] == accepted["inspection"]:
            return dict(platform.at_least(event["sequence"], f"/inspections/{accepted['inspection']}"))
    raise AssertionError("the log ended without an answer")


@pytest.mark.parametrize(
    ("example", "runner", "why"),
    [
        ("hello-fastapi", "python", "fastapi"),
        ("hello-node", "node", "start-script"),
        ("hello-static", "static", "index-html"),
    ],
)
def test_answer_says_what_is_there_and_how_it_would_be_deployed(
    platform: Platform, git_host: GitHost, example: str, runner: str, why: str
) -> None:
    repository, url = git_host.repository(example)
    commit = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v1")
    repository.git("branch", "next")
    answer = looked_into(platform, {"git": url})["answer"]
    assert (answer["commit"], answer["branch"]) == (commit, "main")
    assert (answer["recipe"]["runner"], answer["recipe"]["detected_by"]) == (runner, why)
    assert [head["name"] for head in answer["branches"]] == ["main", "next"]
    assert answer["tags"] == [{"name": "v1", "commit": commit}]


def test_repository_that_cannot_be_had_is_answered_with_the_reason(platform: Platform, git_host: GitHost) -> None:
    said = looked_into(platform, {"git": f"{git_host.url}/private/app"})
    assert (said["answer"], said["failure"]["code"]) == (None, "login-needed")


def test_source_that_says_nothing_is_answered_with_the_ways_out(platform: Platform, git_host: GitHost) -> None:
    repository, url = git_host.repository("hello-python")
    repository.git("rm", "--quiet", "-r", ".")
    repository.commit({"README.md": "nothing here"})
    answer = looked_into(platform, {"git": url})["answer"]
    assert answer["recipe"] is None
    assert "Procfile" in answer["missing"]
