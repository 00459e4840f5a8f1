"""What a push means for a project: a deployment to the environment that takes its branch, or nothing, and why."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from windlass_contracts.source_values import GitRef
from windlass_gateway.domain.branches import taker
from windlass_gateway.domain.environments import Environment, Environments
from windlass_gateway.domain.project import Project

_REF: TypeAdapter[str] = TypeAdapter(GitRef)
BRANCH, TAG = "refs/heads/", "refs/tags/"
_MAX_NAME = 100
_MAX_SUBJECT = 200
# Controls, line separators, and the marks that turn the direction of what is read.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a commit: `key` is what tells them from others, an account's name or an address."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Push:
    """A branch, a tag or another ref of a repository came to stand at a commit; None means that it is gone."""

    key: str
    """The same each time this push is delivered."""
    places: frozenset[str]
    """The repository's addresses, as `place_key` writes them."""
    ref: str
    commit: str | None
    default_branch: str | None = None
    author: Author | None = None
    subject: str | None = None

    @property
    def branch(self) -> str | None:
        return self.ref.removeprefix(BRANCH) if self.ref.startswith(BRANCH) else None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing is deployed, and why."""

    why: str


def ignored(push: Push) -> Ignored | None:
    """Return why no project can do anything with a push; None where one might."""
    name = shown(push.ref.removeprefix(BRANCH).removeprefix(TAG), _MAX_NAME) or "nameless"
    if push.ref.startswith(TAG):
        return Ignored(f"The tag {name} was pushed: only pushes of branches are deployed.")
    if push.branch is None:
        return Ignored(f"{name} is no branch: only pushes of branches are deployed.")
    if not _is_ref(push.branch):
        return Ignored(f"The name of the branch {name} is longer than 250 characters, or none that Git allows.")
    return None


def decide_push(push: Push, project: Project, environments: Environments) -> Environment | Ignored:
    """Return where a push of the project's repository is deployed to."""
    if push.branch is None:
        return ignored(push) or Ignored("Only pushes of branches are deployed.")
    return decide_branch(push.branch, project, environments, push.default_branch)


def decide_branch(
    branch: str, project: Project, environments: Environments, default_branch: str | None = None
) -> Environment | Ignored:
    """Return where a branch is deployed to; `default_branch` is the repository's, which the project's goes before."""
    if project.repository is None:
        return Ignored("The project has no repository.")
    default = project.default_branch or default_branch
    return taker(environments, branch, default) or Ignored(_nobody_takes(branch, project, environments, default))


def _nobody_takes(branch: str, project: Project, environments: Environments, default_branch: str | None) -> str:
    taken = ", ".join(f"{one.name} ({_taken(one, default_branch)})" for one in environments.all)
    return (
        f"No environment takes the branch {branch}; there are {taken or 'none'}. "
        f"To have it deployed: windlass environments set {project.slug} ENVIRONMENT {branch}"
    )


def _taken(environment: Environment, default_branch: str | None) -> str:
    if environment.branches:
        return " ".join(environment.branches)
    return default_branch or "the default branch" if environment.production else "no branch"


def _is_ref(branch: str) -> bool:
    try:
        _REF.validate_python(branch)
    except ValidationError:
        return False
    return True


def shown(text: str, limit: int) -> str:
    """Return a text that a stranger wrote as one line of bounded length without anything that cannot be seen."""
    line = " ".join(_UNSEEN.sub(" ", text[: 10 * limit]).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def subject_of(message: str) -> str | None:
    """Return the first line of a commit's message that says something."""
    lines: Iterable[str] = message[: 10 * _MAX_SUBJECT].splitlines()
    return next((line for line in (shown(one, _MAX_SUBJECT) for one in lines) if line), None)


def author_of(name: str, key: str) -> Author | None:
    """Return an author with a name that can be shown; None where nothing tells who it is."""
    seen = shown(name, _MAX_NAME)
    return Author(key[:1_000], seen) if key and seen else None
