"""Every way in which the gateway refuses a request. A refusal changes nothing, says why, and names the way out.

Refusal
├── InvalidInputError            a field cannot be what it is
├── UnauthenticatedError         nobody knows who the caller is
│   ├── TokenEndedError          the token expired or was revoked meanwhile
│   ├── SignInRequiredError      a page was asked for without a session
│   └── UnsignedWebhookError     a webhook is not signed with our secret
├── ForbiddenError               the caller may not do that
│   └── ForgedFormError          a form did not come from a page of the caller's own session
├── LinkError                    a link to sign in with cannot be used
│   ├── LinkUnknownError
│   ├── LinkUsedError
│   └── LinkExpiredError
├── NotFoundError                there is nothing under that name
│   ├── ProjectNotFoundError
│   ├── EnvironmentNotFoundError
│   ├── VariableNotFoundError
│   ├── TokenNotFoundError
│   ├── DeploymentNotFoundError
│   ├── DeadLetterNotFoundError
│   └── InspectionNotFoundError
└── NotNowError                  the state of things does not allow it
    ├── TokenNameTakenError      a valid API token has that name
    ├── TooManyTokensError       the team has as many API tokens as it may
    ├── SlugTakenError           another repository's project has that name
    ├── KeyReusedError           an idempotency key came back with another request
    ├── BranchTakenError         another environment has that branch pattern
    ├── NoRepositoryError        the project has no repository to deploy from
    ├── NotRepeatableError       the deployment was made of no repository
    ├── TooLateToCancelError     the deployment ended, or its cutover began
    ├── DeadLetterOverError      a dead letter is being tried again, or recovered or discarded
    ├── OperationUnderWayError   the service is at another operation
    ├── NoSignOfLifeError        the service does not answer
    ├── NotHaltedError           the service does not stand still at that event
    ├── RollbackUnderWayError    another rollback is not answered yet
    ├── ValueShreddedError       it would need the value of a variable that was shredded
    ├── RotationUnderWayError    the keys are being rotated already
    └── NothingToRollBackError   there is no earlier version to go back to, or it is gone
"""

from collections.abc import Sequence
from uuid import UUID

from windlass_contracts.lifecycle import Phase


class Refusal(Exception):  # noqa: N818 - the root of a tree of answers, of which each is named an error
    """Why a request is refused: `detail` says what is wrong, `field` where, `next_step` what to do."""

    title = "The request is refused"

    def __init__(self, detail: str, *, next_step: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.next_step = next_step
        self.field = field


class InvalidInputError(Refusal):
    """A field cannot be what it is."""

    title = "The request is not valid"


class UnauthenticatedError(Refusal):
    """Nobody knows who the caller is."""

    title = "Not signed in"


class TokenEndedError(UnauthenticatedError):
    """The token that opened a stream expired or was revoked meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "The API token that opened this stream has expired, or was revoked.",
            next_step="Use another one; `windlass tokens create` makes it.",
        )


class SignInRequiredError(UnauthenticatedError):
    """A page was asked for without a session."""

    def __init__(self) -> None:
        super().__init__(
            "You are not signed in, or your session has ended.",
            next_step="Run `windlass login-link` where Windlass runs, and open the link that it prints.",
        )


class UnsignedWebhookError(UnauthenticatedError):
    """A webhook is not signed with the secret that it was set up with; it is not said what is wrong with it."""

    title = "Not signed by a sender that is known"

    def __init__(self, header: str) -> None:
        super().__init__(
            "The signature is missing, wrong, or too old.",
            next_step="Set the sender up with the secret that `windlass webhook PROJECT` shows, and check its clock.",
            field=header,
        )


class ForbiddenError(Refusal):
    """The caller is known, and may not do that."""

    title = "Not permitted"


class ForgedFormError(ForbiddenError):
    """A form did not come from a page of the caller's own session."""

    title = "This form was not sent from here"

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"{detail} Nothing was changed.",
            next_step="Load the page again, and send the form once more.",
            field="csrf",
        )


class LinkError(Refusal):
    """A link to sign in with cannot be used."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, next_step="Run `windlass login-link` where Windlass runs: it makes a new one.")


class LinkUnknownError(LinkError):
    """No such link was made here."""

    title = "This link is not known here"

    def __init__(self) -> None:
        super().__init__("It was cut short, was made by another installation, or is older than a day.")


class LinkUsedError(LinkError):
    """Somebody signed in with it before."""

    title = "This link was used before"

    def __init__(self) -> None:
        super().__init__("A link signs in once. It cannot be used again, not even by you.")


class LinkExpiredError(LinkError):
    """It is too old."""

    title = "This link has expired"

    def __init__(self) -> None:
        super().__init__("A link can be used within 15 minutes of being made.")


class NotFoundError(Refusal):
    """There is nothing under that name, or nothing that the caller may see."""

    title = "Not found"


class ProjectNotFoundError(NotFoundError):
    """There is no such project."""

    title = "No such project"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"There is no project {slug}.",
            next_step="`windlass ps` lists the projects; the first `windlass deploy --project` of a name creates it.",
            field="project",
        )


class EnvironmentNotFoundError(NotFoundError):
    """The project has no such environment."""

    title = "No such environment"

    def __init__(self, project: str, environment: str) -> None:
        super().__init__(
            f"The project {project} has no environment {environment}.",
            next_step="The first deployment to an environment creates it.",
            field="environment",
        )


class VariableNotFoundError(NotFoundError):
    """The variable is not set."""

    title = "No such variable"

    def __init__(self, project: str, name: str) -> None:
        super().__init__(
            f"The project {project} has no variable {name} there.",
            next_step=f"`windlass env list {project}` shows the names that are set, and for which environment.",
            field="name",
        )


class TokenNotFoundError(NotFoundError):
    """There is no such API token."""

    title = "No such token"

    def __init__(self, token: str) -> None:
        super().__init__(
            f"There is no API token {token}.", next_step="`windlass tokens list` shows all of them.", field="token"
        )


class DeploymentNotFoundError(NotFoundError):
    """There is no such deployment."""

    title = "No such deployment"

    def __init__(self, given: str) -> None:
        super().__init__(
            f"There is no deployment {given}.",
            next_step="`windlass ps` lists the deployments; an id may be cut short to 4 or more characters.",
            field="deployment",
        )


class DeadLetterNotFoundError(NotFoundError):
    """There is no such dead letter."""

    def __init__(self, written: str) -> None:
        super().__init__(
            f"There is no dead letter {written}.", field="dead_letter", next_step="`windlass dead-letters` lists them."
        )


class InspectionNotFoundError(NotFoundError):
    """There is no such inspection."""

    title = "No such inspection"

    def __init__(self, given: UUID) -> None:
        super().__init__(
            f"There is no inspection {given}.", next_step="Ask for one: `POST /api/v1/inspections`.", field="inspection"
        )


class NotNowError(Refusal):
    """The state of things does not allow it."""

    title = "Not possible now"


class DeadLetterOverError(NotNowError):
    """A dead letter is being tried again, or recovered or discarded."""

    title = "Nothing to decide"

    def __init__(self, identity: UUID, status: str) -> None:
        said = {"retrying": "is being tried again", "recovered": "has recovered", "discarded": "was discarded"}
        super().__init__(
            f"The dead letter {identity} {said.get(status, status)}.",
            next_step=f"windlass dead-letters show {identity.hex[:8]}",
        )


class OperationUnderWayError(NotNowError):
    """The service is at another operation."""

    title = "Another operation is under way"

    def __init__(self, what: str) -> None:
        super().__init__(what, next_step="Wait until it has ended, and ask again.")


class NoSignOfLifeError(NotNowError):
    """The service does not answer."""

    title = "The service does not answer"

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what, next_step=remedy)


class NotHaltedError(NotNowError):
    """The service does not stand still at that event."""

    title = "Nothing to pass over"

    def __init__(self, service: str, sequence: int, halted: int | None) -> None:
        where = "does not stand still at any" if halted is None else f"stands still at sequence {halted}"
        super().__init__(
            f"The {service} reads the event at sequence {sequence}, or has not come to it: it {where}.",
            field="sequence",
            next_step="Name the event at which a service stands still now; `windlass verify` says which one that is."
            if halted is None
            else f"windlass quarantine {service} {halted} --reason TEXT",
        )


class TokenNameTakenError(NotNowError):
    """A valid API token has that name."""

    title = "The token's name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is an API token named {name!r} already.",
            next_step="Give the new one another name, or revoke that one first.",
            field="name",
        )


class TooManyTokensError(NotNowError):
    """The team has as many API tokens as it may."""

    title = "Too many tokens"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} API tokens are valid, which is as many as there may be.",
            next_step="Revoke those that nobody uses any more.",
        )


class SlugTakenError(NotNowError):
    """The name that the repository suggests belongs to another repository's project."""

    title = "The project's name is taken"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"A project {slug} exists, and belongs to another repository.",
            next_step=f"Name another project (--project), or say --project {slug} to deploy to that one.",
            field="project",
        )


class KeyReusedError(NotNowError):
    """The same idempotency key came with two different requests."""

    title = "The idempotency key was used before"

    def __init__(self, deployment: UUID) -> None:
        super().__init__(
            f"This idempotency key was used for deployment {deployment}, which asked for another source.",
            next_step="Send a new key with a new request, and the same key only to repeat the same one.",
            field="Idempotency-Key",
        )


class BranchTakenError(NotNowError):
    """A branch pattern belongs to one environment."""

    title = "The branch belongs to another environment"

    def __init__(self, pattern: str, environment: str) -> None:
        super().__init__(
            f"Pushes of {pattern!r} go to the environment {environment}.",
            next_step=f"Take the pattern away from {environment} first, or choose another one.",
            field="branches",
        )


class NoRepositoryError(NotNowError):
    """The project has no repository to deploy from."""

    title = "The project has no repository"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The project {slug} has no repository.",
            next_step=f"Name one: `windlass deploy --project {slug} --git URL`, or in the project's settings.",
            field="repository",
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


class ValueShreddedError(NotNowError):
    """What is wanted needs the value of a variable that was shredded."""

    title = "A value was shredded"

    def __init__(self, what: str, names: Sequence[str], *, field: str, next_step: str) -> None:
        values = "a value that was" if len(names) == 1 else "values that were"
        super().__init__(f"{what} needs {values} shredded: {', '.join(names)}.", field=field, next_step=next_step)


class RotationUnderWayError(NotNowError):
    """The keys of stored values are being rotated already."""

    title = "Keys are being rotated"

    def __init__(self) -> None:
        super().__init__(
            "Somebody else is rotating the keys at this moment.",
            next_step="Wait until that is done: `windlass keys list` shows how many values have which key.",
        )


class NothingToRollBackError(NotNowError):
    """There is no earlier version to go back to, or it is gone."""

    title = "There is nothing to roll back to"
