"""The installation that `windlass up` runs: five services, and what goes with them."""

from windlass.up.blueprint import Blueprint
from windlass.up.more_runners import prepare_more_runners
from windlass.up.own_command import apps_left_running, deploy_example, sign_in_link
from windlass.up.runtime import prepare_runtime

_SERVICES = ("gateway", "builder", "monitor", "router", "logs")


WINDLASS = Blueprint(
    services={name: f"windlass_{name}.app:serve" for name in _SERVICES},
    provision_log="windlass.up.provisioning_job:provision_log",
    keep_log="windlass.up.provisioning_job:keep_log",
    remove_apps="windlass_builder.app:purge",
    prepare_runtime=prepare_runtime,
    prepare_more=prepare_more_runners,
    after_ready=deploy_example,
    sign_in_link=sign_in_link,
    apps_left_running=apps_left_running,
)
