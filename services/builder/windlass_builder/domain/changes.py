"""Whether a push deploys at all: by the paths that it changes, and those that the project deploys for."""

import re
import warnings
from collections.abc import Collection

from pathspec import GitIgnoreSpec

from windlass_contracts.config import DeploymentConfig

PUSHED = "webhook"
"""The trigger of what nobody asked for by hand: only that is ever skipped."""

_SHOWN = 80


def has_rules(config: DeploymentConfig) -> bool:
    return bool(config.include or config.exclude)


def deploys_for(config: DeploymentConfig, changed: Collection[str]) -> bool:
    """Return whether one of the paths is included and not excluded.

    Raises:
        ValueError: a pattern is none.
    """
    included = _compiled(config.include) if config.include else None
    excluded = _compiled(config.exclude)
    return any((included is None or included.match_file(path)) and not excluded.match_file(path) for path in changed)


def _compiled(patterns: Collection[str]) -> GitIgnoreSpec:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `[[]` is a set with a bracket, here as in Git
        try:
            return GitIgnoreSpec.from_lines(patterns)
        except re.error as error:
            message = f"one of its patterns is none: {error}"
            raise ValueError(message) from error


def why_unchanged(changed: Collection[str], before: str) -> str:
    """Say of a commit that changes nothing the project deploys for, compared with the commit `before`."""
    if not changed:
        return f"Its files are those of commit {before[:12]}, which the environment answers with."
    first = min(changed)[:_SHOWN]
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    paths = "".join(character if character.isprintable() else "?" for character in first)
    return (
        f"It changes {paths}{more} since commit {before[:12]}, which the environment answers with: "
        "none of the paths that the project deploys for."
    )
