"""Fields of forms, which are all texts, become what they stand for, or a refusal that names the field."""

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from windlass_contracts.source_values import SourceFolder
from windlass_gateway.domain.configuration import ConfigChange
from windlass_gateway.domain.refusals import InvalidInputError

_FOLDER: TypeAdapter[str] = TypeAdapter(SourceFolder)


def checked_config(fields: Mapping[str, object]) -> ConfigChange:
    """Return a change of the configuration.

    Raises:
        InvalidInputError: a field cannot be what it is.
    """
    try:
        return ConfigChange.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInputError(
            f"{_name(first['loc'])}: {_why(first['msg'])}.",
            field=".".join(str(part) for part in first["loc"] if str(part) not in {"http", "tcp"}),
            next_step="Correct the field and send the form again.",
        ) from error


def checked_folder(written: str) -> str | None:
    """Return a folder of a repository; None for its top.

    Raises:
        InvalidInputError: it is none.
    """
    folder = written.strip().strip("/")
    try:
        return _FOLDER.validate_python(folder) if folder else None
    except ValidationError as error:
        raise InvalidInputError(
            f"Root folder: {_why(error.errors()[0]['msg'])}.",
            field="root",
            next_step="Write the folder's path from the top of the repository, like apps/web.",
        ) from error


def _name(place: tuple[int | str, ...]) -> str:
    return str(place[-1]).replace("_", " ").capitalize()


def _why(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")
