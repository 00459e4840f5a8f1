"""What went wrong, as the event that says so: the one place where errors become words of the contract."""

import re
from uuid import UUID

from windlass_builder.application.pre_deploy_errors import (
    PreDeployError,
    PreDeployExitedError,
    PreDeployLostError,
    PreDeployOutOfMemoryError,
    PreDeployOutOfScratchError,
    PreDeployTimedOutError,
)
from windlass_builder.application.runtime_errors import (
    BuildError,
    BuildExitedError,
    BuildOutOfDiskError,
    BuildOutOfMemoryError,
    BuildOutOfProcessesError,
    BuildTimedOutError,
    DockerfileError,
    ImageError,
    ImagesUnsupportedError,
    NameTakenError,
    ReleaseChangedError,
    ReleaseMissingError,
    RunnerImageMissingError,
    RunnerUnstartableError,
    VolumesUnsupportedError,
)
from windlass_builder.application.source import (
    BadRefError,
    BadRepositoryUrlError,
    BadRootError,
    BrokenRepositoryError,
    HostKeyChangedError,
    LargeFilesError,
    LoginNeededError,
    LoginRefusedError,
    ProgramMissingError,
    RefNotFoundError,
    RepositoryMovedError,
    RepositoryNotFoundError,
    RepositoryUnreachableError,
    RootNotFoundError,
    SourceError,
    SourceTimedOutError,
    SourceTooLargeError,
    TooManyFilesError,
)
from windlass_builder.application.uploads import BadArchiveError, UploadDamagedError, UploadGoneError
from windlass_builder.domain.detection import BrokenManifestError, NothingToStartError
from windlass_contracts.events import Failed, InspectionFailed
from windlass_contracts.events.deployment import LogRange, Stage
from windlass_contracts.ids import DeploymentId
from windlass_eventlog.vault import SecretShreddedError


class UnsupportedSourceError(Exception):
    """The source is of a kind that this builder does not take."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"This builder does not deploy from a source of the kind {kind}; deploy from a Git repository."
        )


class UnknownRunnerError(Exception):
    """The project names a runner that this builder does not have."""

    def __init__(self, runner: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no runner {runner}; this builder has {', '.join(known)}.")


class NotReturnableError(Exception):
    """The deployment that is wanted back never was live, or its release is unknown."""

    def __init__(self, deployment: DeploymentId) -> None:
        super().__init__(f"Deployment {deployment} was never live here, so there is nothing to go back to.")


class VariableShreddedError(SecretShreddedError):
    """The value that a variable had when the deployment was requested was deleted for good."""

    def __init__(self, name: str, secret: UUID) -> None:
        super().__init__(secret)
        self.name = name

    def __str__(self) -> str:
        return f"The value that {self.name} had when this was requested was shredded; set it anew and deploy again."


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What others wrote may be part of an error: a Dockerfile's words, a name in an archive."""

DEPLOYMENT_ERRORS = (
    NotReturnableError,
    SecretShreddedError,
    SourceError,
    BuildError,
    PreDeployError,
    BrokenManifestError,
    NothingToStartError,
    UnsupportedSourceError,
    UnknownRunnerError,
    RunnerImageMissingError,
    ImageError,
    ImagesUnsupportedError,
    RunnerUnstartableError,
    ReleaseMissingError,
    ReleaseChangedError,
    NameTakenError,
    VolumesUnsupportedError,
)
"""What ends a deployment: trying again would change nothing."""

_CODES: dict[type[Exception], tuple[Stage, str]] = {
    BadRepositoryUrlError: (Stage.FETCH, "bad-repository-url"),
    BadRefError: (Stage.FETCH, "bad-ref"),
    BadRootError: (Stage.FETCH, "bad-root"),
    RepositoryNotFoundError: (Stage.FETCH, "repository-not-found"),
    LoginNeededError: (Stage.FETCH, "login-needed"),
    LoginRefusedError: (Stage.FETCH, "login-refused"),
    HostKeyChangedError: (Stage.FETCH, "host-key-changed"),
    ProgramMissingError: (Stage.FETCH, "program-missing"),
    LargeFilesError: (Stage.FETCH, "large-files-missing"),
    BrokenRepositoryError: (Stage.FETCH, "broken-repository"),
    RepositoryMovedError: (Stage.FETCH, "repository-moved"),
    RefNotFoundError: (Stage.FETCH, "ref-not-found"),
    RootNotFoundError: (Stage.FETCH, "root-not-found"),
    RepositoryUnreachableError: (Stage.FETCH, "repository-unreachable"),
    UploadGoneError: (Stage.FETCH, "upload-gone"),
    UploadDamagedError: (Stage.FETCH, "upload-damaged"),
    BadArchiveError: (Stage.FETCH, "bad-archive"),
    SourceTimedOutError: (Stage.FETCH, "fetch-timed-out"),
    SourceTooLargeError: (Stage.FETCH, "source-too-large"),
    TooManyFilesError: (Stage.FETCH, "source-too-large"),
    SourceError: (Stage.FETCH, "git-failed"),
    UnsupportedSourceError: (Stage.FETCH, "unsupported-source"),
    BrokenManifestError: (Stage.BUILD, "broken-manifest"),
    NothingToStartError: (Stage.BUILD, "nothing-to-start"),
    UnknownRunnerError: (Stage.BUILD, "unknown-runner"),
    RunnerImageMissingError: (Stage.BUILD, "runner-missing"),
    BuildExitedError: (Stage.BUILD, "build-exited"),
    BuildTimedOutError: (Stage.BUILD, "build-timed-out"),
    BuildOutOfMemoryError: (Stage.BUILD, "build-out-of-memory"),
    BuildOutOfProcessesError: (Stage.BUILD, "build-out-of-processes"),
    BuildOutOfDiskError: (Stage.BUILD, "build-out-of-disk"),
    DockerfileError: (Stage.BUILD, "dockerfile"),
    BuildError: (Stage.BUILD, "build-failed"),
    ImagesUnsupportedError: (Stage.BUILD, "no-images-here"),
    RunnerUnstartableError: (Stage.START, "cannot-start"),
    PreDeployExitedError: (Stage.PRE_DEPLOY, "exited"),
    PreDeployOutOfMemoryError: (Stage.PRE_DEPLOY, "out-of-memory"),
    PreDeployOutOfScratchError: (Stage.PRE_DEPLOY, "scratch-full"),
    PreDeployTimedOutError: (Stage.PRE_DEPLOY, "timed-out"),
    PreDeployLostError: (Stage.PRE_DEPLOY, "lost"),
    ReleaseMissingError: (Stage.START, "release-missing"),
    ReleaseChangedError: (Stage.START, "release-missing"),
    NameTakenError: (Stage.START, "name-taken"),
    VolumesUnsupportedError: (Stage.START, "volumes-unsupported"),
    NotReturnableError: (Stage.START, "never-live"),
    SecretShreddedError: (Stage.START, "variable-shredded"),
}


def failure(error: Exception, log: LogRange | None = None) -> Failed:
    """Return the event that says of one of DEPLOYMENT_ERRORS where, why and what to do."""
    stage, code = (Stage.FETCH, str(error.problem)) if isinstance(error, ImageError) else _named(error)
    exit_code = error.exit_code if isinstance(error, BuildExitedError | DockerfileError | PreDeployError) else None
    shown = error.log if isinstance(error, PreDeployError) else log if stage is Stage.BUILD else None
    reason = _CONTROL.sub("?", str(error))[:1_000]
    return Failed(stage=stage, code=code, reason=reason, exit_code=exit_code, log=shown)


def inspection_failure(error: SourceError) -> InspectionFailed:
    """Return the event that says why a repository could not be looked into."""
    _, code = _named(error)
    return InspectionFailed(code=code, reason=str(error)[:1_000])


def _named(error: Exception) -> tuple[Stage, str]:
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


def scratch_full(limit: int) -> Failed:
    """Return the event that says of a container that it wrote too much before it was healthy."""
    reason = (
        f"The app was stopped because it wrote more than {limit // 2**20} MiB outside of its volumes; "
        "make it write less, keep what it writes in a volume, or raise the project's scratch space."
    )
    return Failed(stage=Stage.START, code="scratch-full", reason=reason)


def exited(exit_code: int, limit: int, *, out_of_memory: bool) -> Failed:
    """Return the event that says of a container that it ended before it was healthy."""
    if out_of_memory:
        reason = (
            f"The app was stopped because it used more than {limit // 2**20} MiB of memory; "
            "make it use less, or raise the project's memory."
        )
        return Failed(stage=Stage.START, code="out-of-memory", reason=reason, exit_code=exit_code)
    reason = (
        f"The app ended with exit code {exit_code} before it answered; its last lines of output say why. "
        "It has to keep running and listen on the port in the variable PORT."
    )
    return Failed(stage=Stage.START, code="exited", reason=reason, exit_code=exit_code)
