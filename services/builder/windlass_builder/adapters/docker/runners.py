"""Runners as containers: locked up, at a fixed address in their project's network."""

from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

from windlass_builder.adapters.docker.hardening import APP_USER, locked_up
from windlass_builder.adapters.docker.labels import (
    DEPLOYMENT,
    PORT,
    PROJECT,
    RELEASE,
    SPECIFICATION,
    Role,
    labels,
)
from windlass_builder.adapters.docker.networks import ProjectNetwork, fixed_address
from windlass_builder.adapters.docker.volumes import volume_mount
from windlass_builder.adapters.shell import script_of
from windlass_builder.domain.images import runs_as_root
from windlass_builder.domain.names import network_name
from windlass_builder.domain.releases import runner_digest
from windlass_builder.domain.workloads import (
    Address,
    Console,
    Created,
    Exited,
    Paused,
    Restarting,
    Runner,
    RunnerSpec,
    RunnerState,
    Running,
)

# Blocking (the default) loses no line; five files of 20 MB are the outage of the log collector that is survived.
_NO_LOG = {"Type": "none", "Config": {}}
_LOGS = {"Type": "local", "Config": {"mode": "blocking", "max-size": "20m", "max-file": "5"}}
_TEMPORARY_FILES = "rw,nosuid,nodev,size=256m,mode=1777"


def runner_configuration(
    installation: str, spec: RunnerSpec, network: ProjectNetwork, address: IPv4Address, image_user: str
) -> dict[str, Any]:
    """Return the configuration of the runner's container. Its environment is plain to who may ask the engine.

    What the image says of its user and its health counts only so far: nothing runs as root, and probes are ours.
    """
    command = {} if spec.command is None else {"Entrypoint": [], "Cmd": ["/bin/sh", "-c", script_of(spec)]}
    user = {"User": f"{APP_USER}:{APP_USER}"} if runs_as_root(image_user) else {}
    environment = {
        "PYTHONUNBUFFERED": "1",  # a line is worth most when it comes at once
        **spec.environment,
        "PORT": str(spec.port),
        "TINI_KILL_PROCESS_GROUP": "1",  # a stop is meant for all, not for the shell alone
    }
    return {
        "Image": spec.release,
        **command,
        **_connected(spec.console),
        **user,
        "Healthcheck": {"Test": ["NONE"]},
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Labels": {
            **labels(installation, Role.RUNNER, spec.project),
            DEPLOYMENT: str(spec.deployment),
            RELEASE: spec.release,
            PORT: str(spec.port),
            SPECIFICATION: runner_digest(spec),
        },
        "HostConfig": {
            **locked_up(spec.limits),
            "NetworkMode": network.name,
            "RestartPolicy": {"Name": "no"},
            "LogConfig": _LOGS if spec.console is None else _NO_LOG,
            "Tmpfs": {"/tmp": _TEMPORARY_FILES},  # noqa: S108 - inside the container
            "Mounts": [volume_mount(installation, mount) for mount in spec.mounts],
        },
        "NetworkingConfig": {"EndpointsConfig": {network.name: {"IPAMConfig": {"IPv4Address": str(address)}}}},
    }


def _connected(console: Console | None) -> dict[str, Any]:
    """Return how input and outputs are somebody's. Without a terminal, the end of their input is the container's."""
    if console is None:
        return {}
    attached = dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr", "OpenStdin"), True)
    return {**attached, "Tty": console.terminal, "StdinOnce": not console.terminal}


def runner_of(installation: str, container: dict[str, Any]) -> Runner:
    """Return what the engine's answer about a runner's container says."""
    marks = container["Config"]["Labels"]
    project = UUID(marks[PROJECT])
    network = network_name(installation, project)
    address = fixed_address(container["NetworkSettings"], network)
    return Runner(
        name=container["Name"].removeprefix("/"),
        id=container["Id"],
        project=project,
        deployment=UUID(marks[DEPLOYMENT]),
        release=marks[RELEASE],
        address=Address("" if address is None else str(address), int(marks[PORT])),
        state=_state(container["State"]),
        restarts=container["RestartCount"],
        connected=address is not None,
    )


def _state(state: dict[str, Any]) -> RunnerState:
    match state["Status"]:
        case "created":
            return Created()
        case "running":
            return Running(instant(state["StartedAt"]))
        case "paused":
            return Paused()
        case "restarting":
            return Restarting(state["ExitCode"])
        case _:  # exited, and on the way to be removed: removing, dead
            return Exited(state["ExitCode"], state["OOMKilled"])


def instant(text: str) -> datetime:
    """Return the engine's time (RFC 3339 with nanoseconds), cut to microseconds."""
    return datetime.fromisoformat(text)


def whole_seconds(grace: timedelta) -> int:
    """Return the grace in the engine's unit, never shorter than asked for."""
    return -(-grace // timedelta(seconds=1))
