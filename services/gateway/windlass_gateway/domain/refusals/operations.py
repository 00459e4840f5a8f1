"""Refusals about what operators do."""

from uuid import UUID

from windlass_gateway.domain.refusals.kinds import NotFoundError, NotNowError


class DeadLetterNotFoundError(NotFoundError):
    """There is no such dead letter."""

    def __init__(self, written: str) -> None:
        super().__init__(
            f"There is no dead letter {written}.", field="dead_letter", next_step="`windlass dead-letters` lists them."
        )


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


class RotationUnderWayError(NotNowError):
    """The keys of stored values are being rotated already."""

    title = "Keys are being rotated"

    def __init__(self) -> None:
        super().__init__(
            "Somebody else is rotating the keys at this moment.",
            next_step="Wait until that is done: `windlass keys list` shows how many values have which key.",
        )
