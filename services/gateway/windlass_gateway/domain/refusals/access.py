"""Refusals about who somebody is: sessions, links, tokens, forms, webhooks."""

from windlass_gateway.domain.refusals.kinds import (
    ForbiddenError,
    NotFoundError,
    NotNowError,
    Refusal,
    UnauthenticatedError,
)


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


class TokenNotFoundError(NotFoundError):
    """There is no such API token."""

    title = "No such token"

    def __init__(self, token: str) -> None:
        super().__init__(
            f"There is no API token {token}.", next_step="`windlass tokens list` shows all of them.", field="token"
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
