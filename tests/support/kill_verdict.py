"""What became of a case of the kill tests, and which of its visitors' failures are nobody's fault."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from support.kill_cases import Action, KillCase
from support.visitors import Failure


@dataclass
class Verdict:
    """What became of a case: how long things took, in seconds, and what was found wrong."""

    case: KillCase
    killed: bool = False
    took_s: float = 0.0
    back_s: float = 0.0
    rested_s: float = 0.0
    """Until all was at rest, after the end."""
    verified_s: float = 0.0
    wedged: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    failed_requests: list[str] = field(default_factory=list)
    verify_failures: list[str] = field(default_factory=list)
    cut_off: int = 0
    """Requests that nobody could answer: over connections to a Traefik that was killed, or to a machine that was."""

    @classmethod
    def of(cls, action: Action) -> Self:
        """Return the verdict of an action in which nobody is killed."""
        return cls(KillCase(action, "", "", ""))

    @property
    def wrong(self) -> Sequence[str]:
        return [*self.wedged, *self.lost, *self.orphans, *self.failed_requests, *self.verify_failures]

    def judge(self, failures: Sequence[Failure], began: float, excused: Callable[[Failure], bool]) -> None:
        """Take in the failures since the case `began`, in seconds since 1970; nobody could help what is excused."""
        for failure in failures:
            if excused(failure):
                self.cut_off += 1
            else:
                self.failed_requests.append(f"{failure.why}, {failure.began - began:.2f} s after the beginning")


def was_cut_off(failure: Failure, killed_at: float, noticed_at: float) -> bool:
    """Tell whether the connection was made with the Traefik that was killed, and broke without an answer.

    It was killed not before `killed_at`, and its supervisor knew at `noticed_at`, both in seconds since 1970.
    """
    return (
        failure.broke_off
        and failure.connected_at is not None
        and failure.connected_at <= noticed_at
        and failure.ended >= killed_at
    )
