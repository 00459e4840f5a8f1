"""The kinds of refusals: each has a status of its own in the API."""


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


class ForbiddenError(Refusal):
    """The caller is known, and may not do that."""

    title = "Not permitted"


class NotFoundError(Refusal):
    """There is nothing under that name, or nothing that the caller may see."""

    title = "Not found"


class QuotaError(Refusal):
    """The caller, or their team, has as much of something as it may have at a time."""

    title = "Too much at a time"


class NotNowError(Refusal):
    """The state of things does not allow it."""

    title = "Not possible now"
