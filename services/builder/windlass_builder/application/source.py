"""The port to where projects' sources come from, and what can go wrong there.

SourceError
├── BadRepositoryUrlError     the address is none that is fetched from
├── BadRefError               the ref is no branch, tag or commit SHA
├── BadRootError              the root folder is none inside the repository
├── RepositoryNotFoundError   there is no Git repository at the address
├── LoginNeededError          the repository wants credentials
├── RefNotFoundError          the repository has no such branch, tag or commit
├── RootNotFoundError         the commit has no such folder
├── RepositoryUnreachableError  its host does not answer; trying again may help
├── ProgramMissingError       this machine lacks a program that fetches it
├── LargeFilesError           what the repository keeps in Git LFS cannot be had; Git's last words are in `detail`
├── BrokenRepositoryError     the repository holds what no file system should meet
├── SourceTooLargeError       it is larger than what is fetched
├── TooManyFilesError         it has more files than a source may
├── SourceTimedOutError       it took longer than it may; trying again may help
└── GitFailedError            Git failed in a way of its own; its last words are in `detail`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from windlass_builder.application.access import NO_ACCESS, Access

_LAST_WORDS = 1_000


class SourceError(Exception):
    """The source could not be had. The message is a sentence for the person who deploys."""


class BadRepositoryUrlError(SourceError):
    """The address is none that is fetched from."""


class BadRefError(SourceError):
    """The ref is no branch, tag or commit SHA."""


class BadRootError(SourceError):
    """The root folder is none inside the repository."""


class RepositoryNotFoundError(SourceError):
    """There is no Git repository at the address."""

    def __init__(self, url: str) -> None:
        super().__init__(f"There is no Git repository at {url}; check the address.")


class LoginNeededError(SourceError):
    """The repository wants credentials."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} does not exist or needs a login; make the repository public, or give the project "
            "a deploy key or a token: `windlass credentials add`, or the page of its settings."
        )


class LoginRefusedError(SourceError):
    """Its host does not take the credential that the project has."""

    def __init__(self, url: str, host: str) -> None:
        super().__init__(
            f"{host} does not let the project's credential read {url}: it may have expired or been revoked, or a "
            "deploy key was not added to the repository yet; `windlass credentials add` replaces it."
        )


class HostKeyChangedError(SourceError):
    """Its host shows another key than it did the first time: it was set up anew, or is another machine."""

    def __init__(self, host: str, known_hosts: Path) -> None:
        super().__init__(
            f"{host} shows another SSH host key than it did before: it was set up anew, or somebody is in between. "
            f"If the new key is right, forget the old one: ssh-keygen -f {known_hosts} -R {host}"
        )


class ProgramMissingError(SourceError):
    """This machine lacks a program that the repository is fetched with."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(
            f"The machine that builds has no {program}, which this repository is fetched with; "
            f"install it there (on Debian: apt-get install {package}) and deploy again."
        )


class RepositoryMovedError(SourceError):
    """Its host says that it is at another address; credentials do not follow it there."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} was moved: its host answers with another address, to which the project's credential is not shown. "
            "Give the project its present address."
        )


class RefNotFoundError(SourceError):
    """The repository has no such branch, tag or commit."""

    def __init__(self, url: str, ref: str) -> None:
        super().__init__(f"{url} has no branch, tag or commit {ref}; push it first, or check its name.")


class RootNotFoundError(SourceError):
    """The commit has no such folder."""

    def __init__(self, root: str, commit: str) -> None:
        super().__init__(f"Commit {commit[:12]} has no folder {root}; correct the project's root folder.")


class RepositoryUnreachableError(SourceError):
    """Its host does not answer; trying again may help."""

    def __init__(self, url: str) -> None:
        super().__init__(f"The host of {url} does not answer; check the address and this machine's network.")


class SourceTooLargeError(SourceError):
    """It is larger than what is fetched."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} is too large to be fetched; keep large files elsewhere than in the repository.")


class TooManyFilesError(SourceError):
    """It has more files than a source may."""

    def __init__(self, url: str, most: int) -> None:
        super().__init__(
            f"{url} has more than {most:,} files: deploy a folder of it (the project's root), or take out what the app"
            " does not need. Who runs this installation may allow more by WINDLASS_SOURCE_FILES."
        )


class SourceTimedOutError(SourceError):
    """It took longer than it may; trying again may help."""

    def __init__(self, url: str, timeout: timedelta) -> None:
        super().__init__(
            f"{url} took longer than {timeout.total_seconds():g} s to be fetched: try again later, or give it longer."
        )


class GitFailedError(SourceError):
    """Git failed in a way of its own; its last words are in `detail`, never with credentials."""

    def __init__(self, url: str, exit_code: int, detail: str) -> None:
        super().__init__(f"Git could not fetch from {url} (exit code {exit_code}).")
        self.detail = detail.strip()[-_LAST_WORDS:]


class LargeFilesError(GitFailedError):
    """What the repository keeps in Git LFS cannot be had."""

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(url, 128, detail)
        self.url = url

    def __str__(self) -> str:
        return (
            f"The large files (Git LFS) of {self.url} cannot be fetched: they may never have been pushed, or need a "
            "login; the build log has what Git said."
        )


class BrokenRepositoryError(SourceError):
    """The repository holds what no file system should meet."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} holds something broken or dangerous, which Git refuses: names like .. or .git, or damaged objects. "
            "`git fsck` in a clone of it says what."
        )


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A repository's address (http, https, ssh or git; no credentials in it) and the folder in it that is deployed."""

    url: str
    root: str = "."


@dataclass(frozen=True, slots=True)
class RepositoryHeads:
    """What the names in a repository stand for now: commits (40 hex digits) by the names of branches and tags."""

    branches: Mapping[str, str]
    tags: Mapping[str, str]
    default_branch: str | None
    """The branch that the repository's HEAD names; None where it names none that exists."""


class SourceFetcher(Protocol):
    """Fetches sources. Every call may be repeated, and fetches of one repository wait for one another."""

    async def heads(self, url: str) -> RepositoryHeads:
        """Return the repository's branches and tags.

        Raises: SourceError.
        """
        ...

    async def resolve(self, url: str, ref: str, access: Access = NO_ACCESS) -> str:
        """Return the SHA (40 hex digits) that the branch, tag or SHA names in the repository now.

        Raises: SourceError.
        """
        ...

    async def changed(self, url: str, before: str, after: str, access: Access = NO_ACCESS) -> frozenset[str] | None:
        """Return the paths that differ between two commits; None where that cannot be told.

        Raises: SourceError.
        """
        ...

    async def fetch(self, location: SourceLocation, commit: str, archive: Path, access: Access = NO_ACCESS) -> None:
        """Write the commit's files, those under the location's root, as a tar to `archive`; whole or not at all.

        Raises: SourceError.
        """
        ...
