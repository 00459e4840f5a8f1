"""What is different between two deployments: of the commit, of the configuration, and of the variables by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from windlass_gateway.domain.deployment import Deployment


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of the configuration, by its dotted path; None stands for what Windlass finds out by itself."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences; the commits are there even where they are the same one."""

    commit_before: str | None
    commit_after: str | None
    config: tuple[FieldChange, ...]
    variables_added: tuple[str, ...]
    variables_removed: tuple[str, ...]
    variables_changed: tuple[str, ...]

    @property
    def same_commit(self) -> bool:
        return self.commit_before == self.commit_after

    @property
    def nothing(self) -> bool:
        """Whether a rebuild is all there was."""
        variables = (*self.variables_added, *self.variables_removed, *self.variables_changed)
        return self.same_commit and not self.config and not variables


def compare(before: Deployment, after: Deployment) -> Comparison:
    """Return what changed from one deployment to another."""
    old = {variable.name: variable.secret for variable in before.variables}
    new = {variable.name: variable.secret for variable in after.variables}
    return Comparison(
        commit_before=before.commit,
        commit_after=after.commit,
        config=tuple(_changes(before.config, after.config)),
        variables_added=tuple(sorted(new.keys() - old.keys())),
        variables_removed=tuple(sorted(old.keys() - new.keys())),
        variables_changed=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
    )


def _changes(before: BaseModel, after: BaseModel) -> Iterator[FieldChange]:
    old, new = dict(_flat(before.model_dump())), dict(_flat(after.model_dump()))
    for field in dict.fromkeys((*old, *new)):
        if old.get(field) != new.get(field):
            yield FieldChange(field, old.get(field), new.get(field))


def _flat(part: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in part.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
