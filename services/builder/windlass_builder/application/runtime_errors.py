"""What can go wrong where releases are built and runners live. Each message is a sentence for the person who deploys.

RuntimePortError
├── BuildError                     the build failed by its own doing; building again changes nothing
│   ├── BuildExitedError           its command ended with another code than 0
│   ├── BuildTimedOutError         it took longer than it may
│   ├── BuildOutOfMemoryError      it used more memory than it may
│   ├── BuildOutOfProcessesError   it started more processes than it may
│   ├── BuildOutOfDiskError        it wrote more than it may
│   ├── DockerfileError            BuildKit ended with an error
│   ├── BuildSourceError           the source cannot be unpacked safely
│   └── BuildPathTooLongError      the source has a path that no file system takes
├── RunnerImageMissingError        the runner that the release is built on is not on this node
├── ImageError                     an image of a registry could not be had
├── ImagesUnsupportedError         this node runs no images, or cannot build any
├── RunnerUnstartableError         the engine cannot start the release's program
├── ReleaseMissingError            the release is not on this node
├── RunnerMissingError             no runner of this installation has that name
├── RunnerNotRunningError          it is neither running nor paused
├── RunnerConflictError            a runner of that name exists, made from another specification
├── VolumesUnsupportedError        apps of this node cannot find volumes where they are mounted
├── VolumeInUseError               a runner has the volume mounted, running or not
├── AddressesExhaustedError        no subnet, address or port is free
└── EngineError                    the engine is away or refuses; trying again may help
"""

from datetime import timedelta

from windlass_builder.domain.images import PullProblem


class RuntimePortError(Exception):
    """Something went wrong where releases are built and runners live."""


class BuildError(RuntimePortError):
    """The build failed by its own doing; building again changes nothing."""


class BuildExitedError(BuildError):
    """The build's command ended with another code than 0."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"The build command ended with exit code {exit_code}; its last lines of output say why.")
        self.exit_code = exit_code


class BuildTimedOutError(BuildError):
    """The build took longer than it may."""

    def __init__(self, timeout: timedelta) -> None:
        super().__init__(
            f"The build was stopped because it took longer than {timeout.total_seconds():g} s; "
            "make it faster, or raise the project's build timeout."
        )
        self.timeout = timeout


class BuildOutOfMemoryError(BuildError):
    """The build used more memory than it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The build was stopped because it used more than {limit // 2**20} MiB of memory; "
            "make it use less, or raise the project's build memory."
        )
        self.limit = limit


class BuildOutOfProcessesError(BuildError):
    """The build started more processes than it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The build failed because it tried to have more than {limit} processes and threads at once; "
            "look for a command that starts itself again and again."
        )
        self.limit = limit


class BuildOutOfDiskError(BuildError):
    """The build wrote more than it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The build was stopped because it wrote more than {limit // 2**20} MiB; "
            "leave out what the app does not need at run time."
        )
        self.limit = limit


class BuildSourceError(BuildError):
    """The source cannot be unpacked safely."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "The source is no whole archive, or holds a link or path that leads out of it; remove that from it."
        )
        self.detail = detail


class BuildPathTooLongError(BuildError):
    """The source has a path that no file system takes."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"The source has a path that no file system takes: a name has 255 bytes at most, and a path 4,000. "
            f"Shorten the one that begins with {path[:100]!r}."
        )


class DockerfileError(BuildError):
    """BuildKit could not build what the Dockerfile says."""

    def __init__(self, what: str, exit_code: int | None = None) -> None:
        super().__init__(what[:900])
        self.exit_code = exit_code


class ImageError(RuntimePortError):
    """An image of a registry could not be had."""

    def __init__(self, reference: str, problem: PullProblem, said: str) -> None:
        way_out = _WAYS_OUT[problem]
        super().__init__(f"The image {reference} could not be fetched: {way_out} The engine says: {said[:300]}")
        self.problem = problem


_WAYS_OUT = {
    PullProblem.NOT_FOUND: "its registry has no such image; check its name and digest.",
    PullProblem.LOGIN_NEEDED: "its registry asks for a login; give the project a credential of the kind registry.",
    PullProblem.MISMATCH: "its registry answered with something else than the digest names; it was not taken.",
    PullProblem.UNREACHABLE: "its registry does not answer; check its name, and deploy again later.",
}


class ImagesUnsupportedError(RuntimePortError):
    """This node runs no images, or cannot build any."""


class RunnerUnstartableError(RuntimePortError):
    """The engine cannot start the release's program."""

    def __init__(self, said: str) -> None:
        super().__init__(f"The engine cannot start the app's program; check the start command. It says: {said[:500]}")


class RunnerImageMissingError(RuntimePortError):
    """The runner that the release is built on is not on this node."""

    def __init__(self, runner: str, way_out: str = "`windlass up` provides it, `windlass doctor` checks") -> None:
        super().__init__(f"The runner {runner} is not on this node; {way_out}.")
        self.runner = runner


class ReleaseMissingError(RuntimePortError):
    """The release is not on this node."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"The release {reference} is not on this node any more; deploy the commit again to build it.")
        self.reference = reference


class ReleaseChangedError(RuntimePortError):
    """A release that was made once more is another one: what it is built on changed meanwhile."""

    def __init__(self, reference: str) -> None:
        super().__init__(
            f"The release {reference} cannot be made as it was, for the runner that it was built on is not here any "
            "more; deploy the commit again."
        )


class NameTakenError(RuntimePortError):
    """Something of somebody else's bears the name of what is to be made."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(
            f"There is a {what} {name} already, which does not belong to this installation: it was left alone. "
            "Remove or rename it, then deploy again."
        )
        self.name = name


class RunnerMissingError(RuntimePortError):
    """No runner of this installation has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no runner {name} on this node.")
        self.name = name


class RunnerNotRunningError(RuntimePortError):
    """It is neither running nor paused."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The runner {name} does not run; start it first.")
        self.name = name


ENDED_MEANWHILE = (RunnerMissingError, RunnerNotRunningError)
"""What is met where a container ended, or was removed, at this very moment: the engine's own event says so."""


class RunnerConflictError(RuntimePortError):
    """A runner of that name exists, made from another specification."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A runner {name} with other settings exists and was left alone; remove it, then start this one."
        )
        self.name = name


class VolumesUnsupportedError(RuntimePortError):
    """Apps of this node cannot find volumes where they are mounted."""

    def __init__(self) -> None:
        super().__init__(
            "This node runs apps as plain processes without any sandbox, where no volume can be mounted; "
            "install bubblewrap or Docker on it, or deploy without volumes."
        )


class VolumeInUseError(RuntimePortError):
    """A runner has the volume mounted, running or not."""

    def __init__(self, name: str, users: tuple[str, ...]) -> None:
        super().__init__(f"The volume {name} is in use by {', '.join(users) or 'a container'}, and was left alone.")
        self.name = name
        self.users = users


class AddressesExhaustedError(RuntimePortError):
    """No subnet, address or port is free."""


class EngineError(RuntimePortError):
    """The engine is away or refuses; trying again may help."""
