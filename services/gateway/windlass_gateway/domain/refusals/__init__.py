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
│   ├── VolumeNotFoundError      no node keeps one of that name there
│   ├── VariableNotFoundError
│   ├── CredentialNotFoundError
│   ├── DomainNotFoundError      the project does not have the host
│   ├── TokenNotFoundError
│   ├── DeploymentNotFoundError
│   ├── UploadNotFoundError
│   ├── DeadLetterNotFoundError
│   ├── RunNotFoundError         there is no such command, or somebody else asked for it
│   └── InspectionNotFoundError
├── QuotaError                   somebody has as much of something as they may
│   └── TooMuchUploadedError     uploads wait that no deployment takes up
└── NotNowError                  the state of things does not allow it
    ├── TokenNameTakenError      a valid API token has that name
    ├── TooManyTokensError       the team has as many API tokens as it may
    ├── SlugTakenError           another repository's project has that name
    ├── KeyReusedError           an idempotency key came back with another request
    ├── BranchTakenError         another environment has that branch pattern
    ├── DomainTakenError         another project has the host
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
    ├── NothingToRunInError      there is no release that a command could run in
    ├── VolumeMountedError       something has the volume mounted
    ├── NoConsoleError           the command was asked for without a console
    ├── RunOverError             the command has ended
    ├── NotPromotableError       the deployment never was live, is gone, or answers there already
    ├── NotWeighableError        the deployment cannot get a part of the requests
    ├── NotRolledOutError        nothing is being rolled out in the environment
    ├── AnotherRolledOutError    what shall be stopped is not what is being rolled out there
    ├── NothingHeldError         no rollback holds the environment
    ├── NotAnsweringError        what shall be scaled or restarted does not answer anywhere
    └── NothingToRollBackError   there is no earlier version to go back to, or it is gone
"""

from windlass_gateway.domain.refusals.access import (
    ForgedFormError,
    LinkError,
    LinkExpiredError,
    LinkUnknownError,
    LinkUsedError,
    SignInRequiredError,
    TokenEndedError,
    TokenNameTakenError,
    TokenNotFoundError,
    TooManyTokensError,
    UnsignedWebhookError,
)
from windlass_gateway.domain.refusals.deployments import (
    AnotherRolledOutError,
    DeploymentNotFoundError,
    InspectionNotFoundError,
    KeyReusedError,
    NoConsoleError,
    NotAnsweringError,
    NothingHeldError,
    NothingToRollBackError,
    NothingToRunInError,
    NotPromotableError,
    NotRepeatableError,
    NotRolledOutError,
    NotWeighableError,
    RollbackUnderWayError,
    RunNotFoundError,
    RunOverError,
    TooLateToCancelError,
    TooMuchUploadedError,
    UploadNotFoundError,
)
from windlass_gateway.domain.refusals.kinds import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    NotNowError,
    QuotaError,
    Refusal,
    UnauthenticatedError,
)
from windlass_gateway.domain.refusals.operations import (
    DeadLetterNotFoundError,
    DeadLetterOverError,
    NoSignOfLifeError,
    NotHaltedError,
    OperationUnderWayError,
    RotationUnderWayError,
)
from windlass_gateway.domain.refusals.projects import (
    BranchTakenError,
    CredentialNotFoundError,
    DomainNotFoundError,
    DomainTakenError,
    EnvironmentNotFoundError,
    NoRepositoryError,
    ProjectNotFoundError,
    SlugTakenError,
    ValueShreddedError,
    VariableNotFoundError,
    VolumeMountedError,
    VolumeNotFoundError,
)

__all__ = [
    "AnotherRolledOutError",
    "BranchTakenError",
    "CredentialNotFoundError",
    "DeadLetterNotFoundError",
    "DeadLetterOverError",
    "DeploymentNotFoundError",
    "DomainNotFoundError",
    "DomainTakenError",
    "EnvironmentNotFoundError",
    "ForbiddenError",
    "ForgedFormError",
    "InspectionNotFoundError",
    "InvalidInputError",
    "KeyReusedError",
    "LinkError",
    "LinkExpiredError",
    "LinkUnknownError",
    "LinkUsedError",
    "NoConsoleError",
    "NoRepositoryError",
    "NoSignOfLifeError",
    "NotAnsweringError",
    "NotFoundError",
    "NotHaltedError",
    "NotNowError",
    "NotPromotableError",
    "NotRepeatableError",
    "NotRolledOutError",
    "NotWeighableError",
    "NothingHeldError",
    "NothingToRollBackError",
    "NothingToRunInError",
    "OperationUnderWayError",
    "ProjectNotFoundError",
    "QuotaError",
    "Refusal",
    "RollbackUnderWayError",
    "RotationUnderWayError",
    "RunNotFoundError",
    "RunOverError",
    "SignInRequiredError",
    "SlugTakenError",
    "TokenEndedError",
    "TokenNameTakenError",
    "TokenNotFoundError",
    "TooLateToCancelError",
    "TooManyTokensError",
    "TooMuchUploadedError",
    "UnauthenticatedError",
    "UnsignedWebhookError",
    "UploadNotFoundError",
    "ValueShreddedError",
    "VariableNotFoundError",
    "VolumeMountedError",
    "VolumeNotFoundError",
]
