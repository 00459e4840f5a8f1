"""Refusals about deployments and the ways back."""

from uuid import UUID

from windlass_contracts.config import MIB
from windlass_contracts.lifecycle import Phase
from windlass_gateway.domain.refusals.kinds import NotFoundError, NotNowError, QuotaError


class DeploymentNotFoundError(NotFoundError):
    """There is no such deployment."""

    title = "No such deployment"

    def __init__(self, given: str) -> None:
        super().__init__(
            f"There is no deployment {given}.",
            next_step="`windlass ps` lists the deployments; an id may be cut short to 4 or more characters.",
            field="deployment",
        )


class InspectionNotFoundError(NotFoundError):
    """There is no such inspection."""

    title = "No such inspection"

    def __init__(self, given: UUID) -> None:
        super().__init__(
            f"There is no inspection {given}.", next_step="Ask for one: `POST /api/v1/inspections`.", field="inspection"
        )


class RunNotFoundError(NotFoundError):
    """There is no such command, or somebody else asked for it."""

    title = "No such command"

    def __init__(self, given: UUID) -> None:
        super().__init__(
            f"There is no command {given} that you asked for.",
            next_step="Ask for one: `windlass run PROJECT -- COMMAND`.",
            field="run",
        )


class NothingToRunInError(NotNowError):
    """There is no release that a command could run in."""

    title = "There is no release to run it in"


class NoConsoleError(NotNowError):
    """The command was asked for without a console."""

    title = "The command has no console"

    def __init__(self, run: UUID) -> None:
        super().__init__(
            "The command has no console: its output is told in lines.",
            next_step=f"Follow it by `windlass run --attach {run}`, or at /api/v1/runs/{run}/output.",
            field="run",
        )


class RunOverError(NotNowError):
    """The command has ended."""

    title = "The command has ended"

    def __init__(self, code: str) -> None:
        super().__init__(f"The command has ended already: {code}.", next_step="Nothing needs to be done.", field="run")


class KeyReusedError(NotNowError):
    """The same idempotency key came with two different requests."""

    title = "The idempotency key was used before"

    def __init__(self, deployment: UUID) -> None:
        super().__init__(
            f"This idempotency key was used for deployment {deployment}, which asked for another source.",
            next_step="Send a new key with a new request, and the same key only to repeat the same one.",
            field="Idempotency-Key",
        )


class NotRepeatableError(NotNowError):
    """The deployment was made of something that is not in a repository."""

    title = "The deployment cannot be repeated"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"It was made of an {kind}, and only deployments of a repository's commit can be repeated.",
            next_step="Deploy it again the way it was deployed first.",
            field="deployment",
        )


class TooLateToCancelError(NotNowError):
    """The deployment ended, or its cutover began."""

    title = "Too late to cancel"

    def __init__(self, phase: Phase) -> None:
        if phase is Phase.CUTOVER:
            detail = "The cutover to this deployment has begun: it becomes live or fails within moments."
            next_step = "If it becomes live and should not be, go back with `windlass rollback`."
        elif phase is Phase.LIVE:
            detail = "This deployment is live, or was: there is nothing left to cancel."
            next_step = "Go back to the version before it with `windlass rollback`."
        else:
            detail = f"This deployment has ended already: it is {phase}."
            next_step = "Nothing needs to be done."
        super().__init__(detail, next_step=next_step)


class RollbackUnderWayError(NotNowError):
    """Another rollback is not answered yet, so that the version before is not known."""

    title = "A rollback is under way"

    def __init__(self) -> None:
        super().__init__(
            "Addresses of this project are on their way back already.",
            next_step="Wait a moment and look at what answers then, or name the version that you want with --to.",
            field="to",
        )


class NothingToRollBackError(NotNowError):
    """There is no earlier version to go back to, or it is gone."""

    title = "There is nothing to roll back to"


class NotPromotableError(NotNowError):
    """The deployment cannot answer in that environment: it never was live, is gone, or answers there already."""

    title = "The deployment cannot be promoted"

    def __init__(self, detail: str) -> None:
        super().__init__(
            detail,
            next_step="`windlass ps PROJECT` lists its deployments; promote one that was live, or deploy the commit.",
            field="deployment",
        )


class NotWeighableError(NotNowError):
    """The deployment cannot get a part of the environment's requests: the message says why."""

    title = "The deployment cannot get a part of the requests"
    _ANOTHER = "`windlass ps PROJECT` lists its deployments; name one that was live, and does not answer there."

    def __init__(self, detail: str, *, field: str = "deployment", next_step: str = _ANOTHER) -> None:
        super().__init__(detail, next_step=next_step, field=field)


class NotRolledOutError(NotNowError):
    """Nothing is being rolled out in the environment."""

    title = "Nothing is being rolled out"

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"All requests of {environment} go to one deployment already.",
            next_step="Nothing has to be stopped.",
            field="environment",
        )


class AnotherRolledOutError(NotNowError):
    """What shall be stopped is not what is being rolled out in the environment."""

    title = "Another deployment is being rolled out"

    def __init__(self, environment: str, meant: UUID, other: UUID, percent: int | None) -> None:
        gets = "is to get a part of them" if percent is None else f"gets {percent} % of them"
        super().__init__(
            f"Deployment {meant.hex[:8]} gets none of {environment}'s requests: deployment {other.hex[:8]} {gets}.",
            next_step=f"If that one is to be stopped: `windlass rollout {other.hex[:8]} --stop --to {environment}`.",
            field="deployment",
        )


class NotAnsweringError(NotNowError):
    """What shall be scaled or restarted does not answer anywhere."""

    title = "It does not answer now"

    def __init__(self, detail: str, field: str) -> None:
        super().__init__(
            detail,
            next_step="`windlass ps PROJECT` shows what is live; deploy first, or wait until it answers.",
            field=field,
        )


class NothingHeldError(NotNowError):
    """No rollback holds the environment."""

    title = "Nothing is held"

    def __init__(self, environment: str) -> None:
        super().__init__(
            f"No rollback holds {environment}: it takes what is pushed.",
            next_step="Nothing needs to be done.",
            field="environment",
        )


class UploadNotFoundError(NotFoundError):
    """Nothing of that digest was uploaded, or it is gone."""

    title = "No such upload"

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"There is no upload {digest[:19]} (any more).",
            next_step="Upload the folder again: `windlass deploy FOLDER`.",
            field="upload",
        )


class TooMuchUploadedError(QuotaError):
    """The team's uploads that no deployment has taken up yet are as much as may wait at a time."""

    title = "Too many uploads wait for a deployment"

    def __init__(self, waiting: int, coming: int, most: int, kept_hours: int) -> None:
        super().__init__(
            f"{waiting / MIB:.0f} MiB of uploads wait for a deployment that names them, and {coming / MIB:.0f} MiB"
            f" are about to arrive: together they may have {most // MIB} MiB.",
            next_step="Deploy what was uploaded, or wait: what no deployment names goes with the daily collection, or"
            f" with `windlass gc`, once it is {kept_hours} hours old.",
            field="digest",
        )
