"""The installation that `windlass up` runs: five services, and what goes with them."""

from collections.abc import Sequence

from windlass.up.blueprint import Blueprint
from windlass.up.client_config import Profile
from windlass.up.narrator import Narrator
from windlass.up.runtime import prepare_runtime

_SERVICES = ("gateway", "builder", "monitor", "router", "logs")


async def _deploy_example(_profile: Profile, _narrator: Narrator) -> None:
    """Deploy nothing yet."""


async def _apps_left_running(_profile: Profile) -> Sequence[str]:
    return ()


WINDLASS = Blueprint(
    services={name: f"windlass_{name}.app:serve" for name in _SERVICES},
    provision_log="windlass.up.provisioning_job:provision_log",
    remove_apps="windlass_builder.app:purge",
    prepare_runtime=prepare_runtime,
    after_ready=_deploy_example,
    apps_left_running=_apps_left_running,
)
