"""What a request may say about how a project is built and run; all that it leaves out stays as it was."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from windlass_contracts.config import MIB, CommandProbe, DeploymentConfig, Percent, Probe, RestoreIn, Rollout, Volume
from windlass_contracts.source_values import PathPattern, SourceFolder
from windlass_contracts.values import Command, Port, Seconds, Token
from windlass_gateway.domain.refusals import InvalidInputError
from windlass_gateway.domain.rollout_steps import steps_of

_MAX_MEMORY_MIB = 1024 * 1024
_LINE_BREAKS = "\t\n"


def _no_control_characters(text: str) -> str:
    """Refuse what no shell takes and no database stores, NUL above all."""
    if any((character < " " and character not in _LINE_BREAKS) or character == "\x7f" for character in text):
        msg = "control characters are not allowed in a command"
        raise ValueError(msg)
    return text


ShellCommand = Annotated[Command, AfterValidator(_no_control_characters)]


def _by_a_clean_command(probe: Probe) -> Probe:
    if isinstance(probe, CommandProbe):
        _no_control_characters(probe.command)
    return probe


CheckedProbe = Annotated[Probe, AfterValidator(_by_a_clean_command)]


_MOST_STARS = 3
_MOST_DEPTHS = 4


def _quick_to_match(pattern: str) -> str:
    """Refuse what takes a matcher for ever: it tries all ways to share a path out among the stars."""
    parts = pattern.split("/")
    stars = max(part.replace("**", "*").count("*") for part in parts)
    if stars > _MOST_STARS or parts.count("**") > _MOST_DEPTHS or "***" in pattern:
        msg = f"a pattern has at most {_MOST_STARS} stars in a name, and ** at most {_MOST_DEPTHS} times"
        raise ValueError(msg)
    return pattern


Patterns = Annotated[tuple[Annotated[PathPattern, AfterValidator(_quick_to_match)], ...], Field(max_length=100)]


_TOOLS = "/windlass"


def _beside_the_tools(volume: Volume) -> Volume:
    """Refuse what would hide the interpreters of apps that run as processes."""
    if volume.path == _TOOLS or volume.path.startswith(f"{_TOOLS}/"):
        msg = f"{volume.path} belongs to the container itself: mount volumes at a folder like /data or /app/uploads"
        raise ValueError(msg)
    return volume


Volumes = Annotated[tuple[Annotated[Volume, AfterValidator(_beside_the_tools)], ...], Field(max_length=20)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def given(self) -> dict[str, Any]:
        """Return what the request said, and nothing else."""
        return self.model_dump(exclude_unset=True)


class LimitsChange(_Part):
    """What one container, or one build, may use."""

    memory_mib: Annotated[int, Field(ge=16, le=_MAX_MEMORY_MIB)] | None = None
    cpu_millis: Annotated[int, Field(ge=50, le=256_000, description="thousandths of a core")] | None = None
    processes: Annotated[int, Field(ge=4, le=32_768)] | None = None

    def given(self) -> dict[str, Any]:
        said = {name: value for name, value in super().given().items() if value is not None}
        mebibytes = said.pop("memory_mib", None)
        return said if mebibytes is None else {**said, "memory_bytes": mebibytes * MIB}


class DeadlinesChange(_Part):
    """How many seconds each step may take."""

    queued_s: Seconds | None = None
    fetch_s: Seconds | None = None
    build_s: Seconds | None = None
    pre_deploy_s: Seconds | None = None
    start_s: Seconds | None = None
    health_s: Seconds | None = None
    route_s: Seconds | None = None


class RetirementChange(_Part):
    """How a version that was replaced goes, in seconds."""

    drain_s: Seconds | None = None
    grace_s: Seconds | None = None
    keep_warm_s: Annotated[int, Field(ge=0, le=86_400)] | None = None


class LivenessChange(_Part):
    """How a container that was healthy once is probed."""

    every_s: Annotated[int, Field(ge=1, le=300, description="seconds between two probes while all is well")] | None = (
        None
    )
    failures: Annotated[int, Field(ge=1, le=100, description="bad answers in a row make it unhealthy")] | None = None
    successes: Annotated[int, Field(ge=1, le=100, description="good answers in a row make it healthy")] | None = None


class WatchChange(_Part):
    """When a version that fails soon after it went live gives way to the one before."""

    restore_in: RestoreIn | None = None
    window_s: Annotated[int, Field(ge=10, le=86_400, description="seconds from when it answers")] | None = None
    errors_percent: Percent | None = None
    """So many of its answers within a minute, out of enough of them, have a status of 500 or more."""


class ConfigChange(_Part):
    """The parts of the configuration that a request names.

    Null lets Windlass find it out from the source again; of the command before the start, that there is none; and it
    leaves the scratch space to the node.
    """

    runner: Token | None = None
    dockerfile: SourceFolder | None = None
    root: SourceFolder | None = None
    build_command: ShellCommand | None = None
    pre_deploy_command: ShellCommand | None = None
    start_command: ShellCommand | None = None
    include: Patterns | None = None
    exclude: Patterns | None = None
    volumes: Volumes | None = None
    port: Port | None = None
    replicas: Annotated[int, Field(ge=1, le=100)] | None = None
    keep_releases: Annotated[int, Field(ge=1, le=1_000)] | None = None
    scratch_mib: Annotated[int, Field(ge=16, le=_MAX_MEMORY_MIB)] | None = None
    """What each container may write outside of its volumes; a node may allow less."""
    probe: CheckedProbe | None = None
    limits: LimitsChange = LimitsChange()
    build_limits: LimitsChange = LimitsChange()
    deadlines: DeadlinesChange = DeadlinesChange()
    retirement: RetirementChange = RetirementChange()
    liveness: LivenessChange = LivenessChange()
    watch: WatchChange = WatchChange()
    rollout: Annotated[Rollout, BeforeValidator(steps_of)] | None = None
    """Steps, or how they are written: `5:10m,25:30m`."""


_NULLABLE = frozenset(
    {"runner", "root", "dockerfile", "build_command", "pre_deploy_command", "start_command", "rollout"}
)


def changed(base: DeploymentConfig, change: ConfigChange) -> DeploymentConfig:
    """Return the configuration after a change.

    Raises:
        InvalidInputError: the parts do not go together.
    """
    config: dict[str, Any] = base.model_dump()
    for name in change.model_fields_set:
        value = getattr(change, name)
        if isinstance(value, _Part):
            said = {part: one for part, one in value.given().items() if one is not None}
            config[name] = {**config[name], **said}
        elif name == "scratch_mib":
            config["scratch_bytes"] = None if value is None else value * MIB
        elif value is not None or name in _NULLABLE:
            config[name] = value
    return _checked(config)


def _checked(config: Mapping[str, Any]) -> DeploymentConfig:
    try:
        return DeploymentConfig.model_validate(config)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(
            f"The configuration is not valid: {first['msg']}.",
            field=".".join(map(str, ("config", *first["loc"]))),
            next_step="Correct the field and send the request again.",
        ) from error
