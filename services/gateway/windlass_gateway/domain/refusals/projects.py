"""Refusals about projects, their environments and variables."""

from collections.abc import Sequence

from windlass_gateway.domain.refusals.kinds import NotFoundError, NotNowError


class ProjectNotFoundError(NotFoundError):
    """There is no such project."""

    title = "No such project"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"There is no project {slug}.",
            next_step="`windlass ps` lists the projects; the first `windlass deploy --project` of a name creates it.",
            field="project",
        )


class VolumeNotFoundError(NotFoundError):
    """No node has such a volume."""

    title = "No such volume"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"No node has said that it keeps a volume {name} there.",
            next_step="`windlass volumes` lists them; a new one is listed within a minute.",
            field="name",
        )


class VolumeMountedError(NotNowError):
    """Something has the volume mounted."""

    title = "The volume is in use"

    def __init__(self, name: str, by: str) -> None:
        super().__init__(
            f"The volume {name} is mounted by the deployment {by}.",
            next_step="Take it out of the settings and deploy; it is free once the earlier containers are gone.",
            field="name",
        )


class EnvironmentNotFoundError(NotFoundError):
    """The project has no such environment."""

    title = "No such environment"

    def __init__(self, project: str, environment: str) -> None:
        super().__init__(
            f"The project {project} has no environment {environment}.",
            next_step="The first deployment to an environment creates it.",
            field="environment",
        )


class DomainNotFoundError(NotFoundError):
    """The project does not have the host."""

    title = "No such domain"

    def __init__(self, project: str, host: str) -> None:
        super().__init__(
            f"The project {project} does not have the domain {host}.",
            next_step=f"`windlass domains {project}` lists those that it has.",
            field="host",
        )


class DomainTakenError(NotNowError):
    """Another project has the host."""

    title = "The domain is taken"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Another project of this installation has the domain {host}.",
            next_step="Remove it there first, or choose another host.",
            field="host",
        )


class VariableNotFoundError(NotFoundError):
    """The variable is not set."""

    title = "No such variable"

    def __init__(self, project: str, name: str) -> None:
        super().__init__(
            f"The project {project} has no variable {name} there.",
            next_step=f"`windlass env list {project}` shows the names that are set, and for which environment.",
            field="name",
        )


class SlugTakenError(NotNowError):
    """The name that the repository suggests belongs to another repository's project."""

    title = "The project's name is taken"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"A project {slug} exists, and belongs to another repository.",
            next_step=f"Name another project (--project), or say --project {slug} to deploy to that one.",
            field="project",
        )


class BranchTakenError(NotNowError):
    """A branch pattern belongs to one environment."""

    title = "The branch belongs to another environment"

    def __init__(self, pattern: str, environment: str) -> None:
        super().__init__(
            f"Pushes of {pattern!r} go to the environment {environment}.",
            next_step=f"Take the pattern away from {environment} first, or choose another one.",
            field="branches",
        )


class NoRepositoryError(NotNowError):
    """The project has no repository to deploy from."""

    title = "The project has no repository"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The project {slug} has no repository.",
            next_step=f"Name one: `windlass deploy --project {slug} --git URL`, or in the project's settings.",
            field="repository",
        )


class ValueShreddedError(NotNowError):
    """What is wanted needs the value of a variable that was shredded."""

    title = "A value was shredded"

    def __init__(self, what: str, names: Sequence[str], *, field: str, next_step: str) -> None:
        values = "a value that was" if len(names) == 1 else "values that were"
        super().__init__(f"{what} needs {values} shredded: {', '.join(names)}.", field=field, next_step=next_step)


class CredentialNotFoundError(NotFoundError):
    """The project has no such credential."""

    title = "No such credential"

    def __init__(self, project: str, kind: str, host: str) -> None:
        super().__init__(
            f"The project {project} has no credential of the kind {kind} for {host}.",
            next_step=f"`windlass credentials list {project}` shows those that it has.",
            field="host",
        )
