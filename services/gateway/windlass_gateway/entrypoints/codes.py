"""What errors are called where programs compare names: `ForgedFormError` is `forged-form`."""

import re
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from windlass_contracts.errors import ContractError
from windlass_gateway.domain.refusals import InvalidInputError, SignInRequiredError

_LONGEST = 100
_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+")


def code_of(error: Exception) -> str:
    """Return what an error is called; bad input is one thing, whoever found it."""
    match error:
        case HTTPException():
            return code_of_status(error.status_code)
        case RequestValidationError() | ContractError():
            return _name_of(InvalidInputError)
        case _:
            return _name_of(type(error))


def code_of_status(status: int) -> str:
    """Return what an answer with this status is called, where nothing else is known of it."""
    try:
        return _kebab(HTTPStatus(status).phrase)
    except ValueError:
        return "refused"


def _name_of(kind: type[Exception]) -> str:
    return _kebab(kind.__name__.removesuffix("Error"))


def _kebab(words: str) -> str:
    return "-".join(part for part in _BETWEEN_WORDS.split(words) if part).lower()[:_LONGEST]


SIGN_IN_REQUIRED = _name_of(SignInRequiredError)
