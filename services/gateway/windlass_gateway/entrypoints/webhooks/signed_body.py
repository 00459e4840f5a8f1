"""Bodies that are verified byte by byte before anything reads them."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import parse_qs

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

ModelT = TypeVar("ModelT", bound=BaseModel)
T = TypeVar("T")
_LARGE_BYTES = 256 * 1024
_FORM = "application/x-www-form-urlencoded"


class NoJsonError(HTTPException):
    """The body is none that JSON can be read from."""

    def __init__(self, why: str) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, f"The body is no JSON: {why}")


async def aside(body: bytes, work: Callable[[], T]) -> T:
    """Do something with the body, in a thread where it is so large that other requests would have to wait."""
    return await asyncio.to_thread(work) if len(body) > _LARGE_BYTES else work()


def read_json(model: type[ModelT], body: bytes) -> ModelT:
    """Return what a body says.

    Raises:
        NoJsonError: it is no JSON.
        RequestValidationError: a field is missing, or cannot be what it is.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise NoJsonError(first["msg"].removeprefix("Invalid JSON: ")) from None
        raise RequestValidationError([first]) from None


def payload_of(body: bytes, content_type: str) -> bytes:
    """Return the JSON of a body: all of it, or the field `payload` of a form, which is GitHub's default.

    Raises:
        NoJsonError: the form has no such field.
    """
    if not content_type.startswith(_FORM):
        return body
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=8)
        return fields["payload"][0].encode()
    except (ValueError, KeyError):
        raise NoJsonError("the form has no field `payload`.") from None
