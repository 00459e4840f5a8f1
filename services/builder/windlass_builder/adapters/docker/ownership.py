"""Whose the thing is that bears a name of ours: what has not this installation's label is never touched."""

from collections.abc import Mapping
from typing import Any

from windlass_builder.adapters.docker.labels import INSTALLATION
from windlass_builder.application.runtime_errors import NameTakenError


def is_ours(marks: Mapping[str, Any] | None, installation: str) -> bool:
    """Return whether these labels are of something that belongs to the installation."""
    return (marks or {}).get(INSTALLATION) == installation


def require_ours(what: str, name: str, marks: Mapping[str, Any] | None, installation: str) -> None:
    """Do nothing with what is ours.

    Raises: NameTakenError, where somebody else made it.
    """
    if not is_ours(marks, installation):
        raise NameTakenError(what, name)
