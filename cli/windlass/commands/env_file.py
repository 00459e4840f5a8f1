"""The text of a `.env` file; what it means, the installation says."""

from pathlib import Path

from windlass.errors import BadInputError


def read_env_file(path: Path) -> str:
    """Return what the file holds.

    Raises:
        BadInputError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")  # line breaks inside of quotes stay as they are
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", "Give the path of a .env file.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is not written in UTF-8.", "Save it as UTF-8.") from error
