"""The names of what this service makes on a node: always the same for the same thing, so that a crash loses nothing."""

from uuid import UUID

from windlass_builder.domain.workloads import Volume


def runner_name(installation: str, deployment: UUID, ordinal: int = 1, life: int = 1) -> str:
    """Return the name of the deployment's runner number `ordinal`; `life` counts those that have had this number."""
    name = f"windlass-{installation}-run-{deployment.hex}-{ordinal}"
    return name if life == 1 else f"{name}-{life}"


def pre_deploy_name(installation: str, deployment: UUID) -> str:
    """Return the name of the container in which the deployment's command before the start runs."""
    return f"windlass-{installation}-pre-{deployment.hex}"


def once_name(installation: str, run: UUID) -> str:
    """Return the name of the container in which a command runs once."""
    return f"{_once(installation)}{run.hex}"


def run_named(installation: str, name: str) -> UUID | None:
    """Return the command whose container has that name, None where it is another kind of container."""
    rest = name.removeprefix(_once(installation))
    return None if rest == name else UUID(rest)


def _once(installation: str) -> str:
    return f"windlass-{installation}-once-"


def network_name(installation: str, project: UUID) -> str:
    return f"{network_names(installation)}{project.hex}"


def network_names(installation: str) -> str:
    """Return how the names of all networks of the installation begin."""
    return f"windlass-{installation}-net-"


def volume_name(installation: str, volume: Volume) -> str:
    return f"windlass-{installation}-vol-{volume.project.hex}-{volume.environment.hex}-{volume.name}"


def cache_name(installation: str, project: UUID) -> str:
    return f"windlass-{installation}-cache-{project.hex}"


def build_name(installation: str, digest: str) -> str:
    """Return the name of the container that builds the release of that digest (hex)."""
    return f"windlass-{installation}-build-{digest[:32]}"


def layer_name(installation: str, digest: str) -> str:
    """Return the reference of the dependencies of that digest (hex), in the form of an image's."""
    return f"windlass-{installation}-layer:{digest[:32]}"


def release_name(installation: str, digest: str) -> str:
    """Return the reference of the release of that digest (hex), in the form of an image's."""
    return f"windlass-{installation}-release:{digest[:32]}"
