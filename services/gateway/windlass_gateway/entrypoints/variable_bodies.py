"""What requests about variables carry."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from windlass_contracts.values import Slug, VariableName
from windlass_gateway.domain.env_file import MAX_ENV_FILE_BYTES, read_env_file
from windlass_gateway.domain.refusals import InvalidInputError
from windlass_gateway.domain.variables import MAX_VALUE_BYTES
from windlass_gateway.entrypoints.body import Body


def _no_nul(value: str) -> str:
    if "\x00" in value:
        msg = "no environment variable can hold a NUL character"
        raise ValueError(msg)
    return value


def _bounded(value: str) -> str:
    if len(value.encode()) > MAX_VALUE_BYTES:
        msg = f"a value may have {MAX_VALUE_BYTES} bytes"
        raise ValueError(msg)
    return value


VariableValue = Annotated[str, AfterValidator(_no_nul), AfterValidator(_bounded)]
EnvFileText = Annotated[
    str, Field(max_length=MAX_ENV_FILE_BYTES, description="NAME=VALUE lines, by python-dotenv's rules")
]


class VariableBody(Body):
    """A variable's new value."""

    value: VariableValue
    environment: Annotated[Slug | None, Field(description="only for this one; else for every environment")] = None


class VariablesBody(Body):
    """Variables to set at once; all others stay as they are."""

    variables: Annotated[dict[VariableName, VariableValue], Field(max_length=300)] = {}  # noqa: RUF012 - pydantic copies it
    env_file: EnvFileText = ""
    environment: Annotated[Slug | None, Field(description="only for this one; else for every environment")] = None

    def values(self) -> Mapping[str, str]:
        """Return the variables, those given by name before those of the `.env` file.

        Raises:
            InvalidInputError: a line of the file cannot be read, or there is nothing to set.
        """
        found = {**read_env_file(self.env_file).readable(), **self.variables}
        if not found:
            raise InvalidInputError("There is no variable to set.", field="variables", next_step="Name at least one.")
        return found


class ShredBody(Body):
    """Which values of a variable are to be deleted for good."""

    environment: Annotated[Slug | None, Field(description="those set for it alone; else those set for each")] = None
    replaced: Annotated[bool, Field(description="only those before the present one; the variable stays set")] = False


class PreviewBody(Body):
    """A `.env` file that somebody thinks of setting."""

    env_file: EnvFileText
    environment: Annotated[Slug | None, Field(description="only for this one; else for every environment")] = None
