"""What makes two releases the same one."""

import hashlib
import json
from uuid import UUID

from windlass_builder.domain.workloads import (
    DependencyLayer,
    DockerfileSpec,
    Mount,
    ReadyImageSpec,
    ReleaseSpec,
    RunnerSpec,
)


def release_digest(spec: ReleaseSpec, runner_content: str) -> str:
    """Return the hex SHA-256 of all that decides the release's content; `runner_content` is the runner image's own id.

    The project takes part because its cache does: what one project fed to its cache is never another's release.
    Limits and timeout do not: they decide whether a build ends, not with what.
    """
    step = None if spec.step is None else [spec.step.command, spec.step.environment_version]
    parts = [str(spec.project), runner_content, spec.revision, spec.root, step]
    return _digest(parts if spec.layer is None else [*parts, _layer(spec.layer)])


def dockerfile_digest(spec: DockerfileSpec) -> str:
    """Return the hex SHA-256 of what we know of all that decides its content: not what its base images are today."""
    parts = [str(spec.project), spec.revision, spec.root, spec.dockerfile, spec.environment_version]
    return _digest(["dockerfile", *parts])


def ready_image_digest(spec: ReadyImageSpec) -> str:
    return _digest(["image", str(spec.project), spec.digest])


def layer_digest(project: UUID, layer: DependencyLayer, runner_content: str) -> str:
    """Return the hex SHA-256 of all that decides what a layer contains: whatever the commit, whatever the folder."""
    return _digest(["layer", str(project), runner_content, _layer(layer)])


def _layer(layer: DependencyLayer) -> object:
    return [layer.step.command, layer.step.environment_version, sorted(layer.files.items())]


def runner_digest(spec: RunnerSpec) -> str:
    """Return the hex SHA-256 of the whole specification, secret values included: it stays on the node."""
    limits = [spec.limits.memory, spec.limits.cpus, spec.limits.pids]
    identity = [spec.name, str(spec.project), str(spec.deployment), spec.release]
    # Only where there are any: a runner that an earlier release made without volumes is still the same one.
    mounts = [[_mount(mount) for mount in spec.mounts]] if spec.mounts else []
    console = [] if spec.console is None else ["console", spec.console.terminal]
    return _digest([identity, spec.command, sorted(spec.environment.items()), spec.port, limits, *mounts, *console])


def _mount(mount: Mount) -> list[str]:
    volume = mount.volume
    return [str(volume.project), str(volume.environment), volume.name, mount.path]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
