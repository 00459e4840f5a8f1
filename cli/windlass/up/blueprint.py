"""What an installation is made of: the services, what is done before they start, and where others take part."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from windlass.up.home import Home
from windlass.up.narrator import Narrator

Runtime = Literal["docker", "process"]
RuntimePreference = Literal["auto", "docker", "process"]


@dataclass(frozen=True, slots=True)
class RuntimeChoice:
    """How apps run here; `reason` says why not as containers, if they do not, or what does not keep them apart."""

    runtime: Runtime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The parts of an installation; services and jobs are given as `module:function`, called with `started`."""

    services: Mapping[str, str]
    provision_log: str
    """A job that makes streams, consumers and buckets as they should be; it ends on its own."""
    keep_log: str
    """What keeps them so, beside the services; it ends when it is told to."""
    remove_apps: str
    """A job that removes all that the installation runs for its apps; the installation is not running then."""
    prepare_runtime: Callable[[RuntimePreference, Narrator], RuntimeChoice]
    """Called before anything is started; it may block, and Ctrl-C interrupts it."""
    prepare_more: Callable[[Runtime, Narrator], Awaitable[None]]
    """Called once the API answers, beside everything else; what it prepares is waited for where it is needed."""
    after_ready: Callable[[Home, Narrator], Awaitable[None]]
    """Called at each start once the API answers; it reports its errors itself, for they stop nothing."""
    sign_in_link: Callable[[Home], Awaitable[str | None]]
    """Called once the API answers; returns a one-time link to the dashboard, None where there is none to be had."""
    apps_left_running: Callable[[Home], Awaitable[Sequence[str]]]
    """Called before the services are stopped; returns what goes on running without them."""
