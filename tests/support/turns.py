"""Which version answers an address, turn after turn: what a visitor may be answered, and what would be a step back."""

from dataclasses import dataclass, field


@dataclass
class Turns:
    """The versions that got an address, in order; the last ones may be on their way. One version may come twice."""

    versions: list[int] = field(default_factory=list)
    confirmed: int = 0
    """The latest turn that the log had said to be done."""

    def begin(self, version: int) -> None:
        """Say, before it is asked for, which version shall answer next."""
        self.versions.append(version)

    def confirm(self) -> None:
        """Say that the version that was begun last answers."""
        self.confirmed = len(self.versions) - 1

    def of(self, version: int, since: int) -> int | None:
        """Return the first turn of a version from `since` on; None where it is from before that, or has not begun."""
        return next((at for at in range(since, len(self.versions)) if self.versions[at] == version), None)
