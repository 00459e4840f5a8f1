"""What can be wrong with something that claims to be part of the contract.

ContractError
├── MalformedSubjectError    the subject is none of the log's
├── UnreadableEventError     the body is no CloudEvent, or does not fit its type
├── UnknownEventTypeError    a type or version that this release does not know
├── ForgedEventError         subject, source, type or message id contradict one another
└── ForbiddenTransitionError the lifecycle does not allow this event now
"""


class ContractError(Exception):
    """Something contradicts the contract."""


class MalformedSubjectError(ContractError):
    """The subject is none of the log's."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"The subject {subject[:200]!r} is not evt.<service>.<team>.<project>.<aggregate>.<id>.")


class UnreadableEventError(ContractError):
    """The body is no CloudEvent, or does not fit its type."""


class UnknownEventTypeError(ContractError):
    """A type or version that this release does not know."""

    def __init__(self, event_type: str) -> None:
        super().__init__(
            f"The event type {event_type[:100]!r} is not known to this release: upgrade readers before writers."
        )
        self.event_type = event_type


class ForgedEventError(ContractError):
    """Subject, source, type or message id contradict one another, or whoever they name did not append it."""


class ForbiddenTransitionError(ContractError):
    """The lifecycle does not allow this event now."""
