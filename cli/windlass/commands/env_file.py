"""Variables from a `.env` file, by python-dotenv's rules; `${NAME}` is left as it stands."""

from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from windlass.errors import BadInputError


def read_env_file(path: Path) -> dict[str, str]:
    """Return names and values; of a name that comes twice, the last one.

    Raises:
        BadInputError: the file cannot be read, or a line names a variable and gives no value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", "Give the path of a .env file.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is not written in UTF-8.", "Save it as UTF-8.") from error
    found = dotenv_values(stream=StringIO(text), interpolate=False)
    bare = [name for name, value in found.items() if value is None]
    if bare:
        raise BadInputError(f"{path} gives no value for {bare[0]!r}.", "Write NAME=VALUE, or NAME= for an empty one.")
    return {name: value for name, value in found.items() if value is not None}
