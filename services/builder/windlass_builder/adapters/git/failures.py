"""From Git's words to the port's errors: it ends with 128 whatever went wrong, and its words are all there is."""

import re
from pathlib import Path

from windlass_builder.adapters.git.command import GitAnswer
from windlass_builder.application.access import host_of
from windlass_builder.application.source import (
    BrokenRepositoryError,
    GitFailedError,
    HostKeyChangedError,
    LoginNeededError,
    LoginRefusedError,
    ProgramMissingError,
    RefNotFoundError,
    RepositoryMovedError,
    RepositoryNotFoundError,
    RepositoryUnreachableError,
    SourceError,
    SourceTooLargeError,
)

_LOGIN = re.compile(
    r"could not read Username|could not read Password|Authentication failed|Permission denied \(|"
    r"requested URL returned error: (401|403)|Host key verification failed|terminal prompts disabled"
)
_OTHER_KEY = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed")
_BROKEN = re.compile(r"fsck error in packed object|error: object [0-9a-f]+: \w+: |error: inflate|pack has bad object")
_NO_SSH = re.compile(r"cannot run ssh|ssh: (command )?not found")
_MOVED = re.compile(r"requested URL returned error: 30[1278]|unable to update url base from redirection")
_NO_REPOSITORY = re.compile(
    r"repository '.*' not found|requested URL returned error: 40[04]|does not appear to be a git repository|"
    r"not valid: is this a git repository|does not exist|access denied or repository not exported|"
    r"ERROR: Repository not found"
)
_UNREACHABLE = re.compile(
    r"Could not resolve host|Connection refused|Failed to connect|unable to connect|Connection timed out|"
    r"No route to host|Network is unreachable|Couldn't connect|Temporary failure in name resolution|"
    r"Name or service not known|requested URL returned error: 5\d\d|SSL|Connection reset|early EOF|"
    r"Operation too slow|The remote end hung up|Empty reply from server"
)
_NO_COMMIT = re.compile(r"not our ref|couldn't find remote ref|no such remote ref")
_ONLY_BRANCHES = re.compile(r"unadvertised object|does not support shallow|does not support --depth")
_TOO_LARGE = re.compile(r"File too large|died of signal 25")


def failure(  # noqa: PLR0911 - one for each case
    url: str, answer: GitAnswer, ref: str, *, known_hosts: Path, shown: bool
) -> SourceError:
    """Return the error that says what `git` said about the repository; `shown` says that it had a credential."""
    words = answer.complaint
    if _TOO_LARGE.search(words):
        return SourceTooLargeError(url)
    if _BROKEN.search(words):
        return BrokenRepositoryError(url)
    if _NO_SSH.search(words):
        return ProgramMissingError("ssh", "openssh-client")
    if _OTHER_KEY.search(words):
        return HostKeyChangedError(host_of(url), known_hosts)
    if _MOVED.search(words):
        return RepositoryMovedError(url)
    if _LOGIN.search(words):
        return LoginRefusedError(url, host_of(url)) if shown else LoginNeededError(url)
    if _NO_COMMIT.search(words):
        return RefNotFoundError(url, ref)
    if _NO_REPOSITORY.search(words):
        return RepositoryNotFoundError(url)
    if _UNREACHABLE.search(words):
        return RepositoryUnreachableError(url)
    return GitFailedError(url, answer.exit_code, words)


def offers_only_branches(answer: GitAnswer) -> bool:
    """Return whether the server refused because it hands out no single commits, or none without their history."""
    return _ONLY_BRANCHES.search(answer.complaint) is not None
