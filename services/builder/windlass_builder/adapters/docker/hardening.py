"""How every container is locked up, builds and runners alike."""

from typing import Any

from windlass_builder.domain.workloads import Limits

# The user of every runner image. The release's files belong to it, so that an app can write beside its own code.
APP_USER = 10001
APP_FOLDER = "/app"
# What the app installed for itself, then the runner's environment, which also gives Python its short name.
_INSTALLED = f"{APP_FOLDER}/.venv/bin:{APP_FOLDER}/node_modules/.bin"
SEARCH_PATH = f"{_INSTALLED}:/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def locked_up(limits: Limits) -> dict[str, Any]:
    """Return the host configuration that a container gets whatever it does: no rights, and no more than its limits."""
    return {
        "Init": True,
        "Memory": limits.memory,
        "MemorySwap": limits.memory,  # the sum of memory and swap: no swap
        "NanoCpus": int(limits.cpus * 1e9),
        "PidsLimit": limits.pids,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "OomScoreAdj": 500,  # where the machine runs out of memory, an app goes before the platform
        "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
    }
