"""What GitHub sends about a push, and about a branch that was deleted, as far as it matters here.

Source of the formats: https://docs.github.com/en/webhooks/webhook-events-and-payloads#push, and #delete
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from windlass_contracts.values import CommitSha
from windlass_gateway.domain.pushes import BRANCH, TAG, Author, Push, author_of, subject_of
from windlass_gateway.domain.repository import place_key, repository_url

_Text = Annotated[str, Field(max_length=1_000_000)]
_Address = Annotated[str, Field(max_length=2_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Person(_Part):
    name: _Text = ""
    email: _Text | None = None
    username: _Text | None = None

    def author(self) -> Author | None:
        key = f"github:{self.username}" if self.username else f"email:{self.email}" if self.email else self.name
        return author_of(self.name or self.username or "", key)


class _Commit(_Part):
    message: _Text = ""
    author: _Person | None = None


class _Repository(_Part):
    clone_url: _Address
    ssh_url: _Address | None = None
    html_url: _Address | None = None
    default_branch: _Address | None = None

    def places(self) -> frozenset[str]:
        written = (self.clone_url, self.ssh_url, self.html_url)
        return frozenset(place_key(repository_url(url, "repository.clone_url")) for url in written if url)


class GitHubPush(_Part):
    """A `push`. Of its commits, up to 2,048 of them, only the one that the ref now stands at is read."""

    ref: _Address
    after: CommitSha
    deleted: bool = False
    repository: _Repository
    head_commit: _Commit | None = None

    def push(self, delivery: str) -> Push:
        """Return the push.

        Raises:
            InvalidInputError: its repository has no address.
        """
        gone = self.deleted or not self.after.strip("0")
        commit = self.head_commit
        return Push(
            key=f"github:{delivery}",
            places=self.repository.places(),
            ref=self.ref,
            commit=None if gone else self.after,
            default_branch=self.repository.default_branch,
            author=None if commit is None or commit.author is None else commit.author.author(),
            subject=None if commit is None else subject_of(commit.message),
        )


class GitHubDelete(_Part):
    """A `delete`: of a branch, or of a tag."""

    ref: _Address
    ref_type: Literal["branch", "tag"]
    repository: _Repository

    def push(self, delivery: str) -> Push:
        """Return it as the push that it is.

        Raises:
            InvalidInputError: its repository has no address.
        """
        kind = BRANCH if self.ref_type == "branch" else TAG
        return Push(
            key=f"github:{delivery}",
            places=self.repository.places(),
            ref=f"{kind}{self.ref}",
            commit=None,
            default_branch=self.repository.default_branch,
        )
