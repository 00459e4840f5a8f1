"""What most likely helps against a failure, by its stage."""

from windlass_contracts.events.deployment import Stage
from windlass_gateway.domain.deployment import Failure

_REMEDIES = {
    Stage.FETCH: "Check the repository's address and the ref, and that this machine may read it.",
    Stage.BUILD: "Read the end of the build log (`windlass logs`); run the same build command on a clean checkout.",
    Stage.PRE_DEPLOY: "Read the log of the pre-deploy command (`windlass logs`), put it right and deploy again.",
    Stage.START: "Read the app's last lines (`windlass logs`): it exited, or its start command is wrong.",
    Stage.HEALTH: "Let the app listen on 0.0.0.0 and the port in $PORT, and pass the project's probe: `windlass logs`.",
    Stage.ROUTE: "The proxy did not take the new routes: `windlass doctor` says whether it runs. Then deploy again.",
    Stage.DEADLINE: "A service of the platform stayed away: `windlass doctor` says which. Then deploy again.",
}
_BY_CODE = {
    "broken-manifest": "Mend the file at the place that is named, and deploy again: nothing was installed or built.",
    "bad-archive": "Mend what is named, or leave it out by a .dockerignore or .gitignore file, and deploy again.",
    "source-too-large": "Leave out what the app does not need: it belongs into a volume or an object store.",
    "fetch-timed-out": "Look whether the host answers; a large source needs a longer deadline for fetching.",
    "upload-damaged": "Deploy the folder again.",
    "upload-gone": "Deploy the folder again.",
    "name-taken": "Ask whoever runs the machine whose it is: Windlass touches nothing that it did not make.",
}


def remedy(failure: Failure) -> str:
    """Return one sentence on what to do."""
    return _BY_CODE.get(failure.code, _REMEDIES[failure.stage])
