"""What became of a case of the kill tests, and which of its visitors' failures are nobody's fault."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from support.kill_cases import KillCase
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
    """Requests over connections to a Traefik that was killed: nobody else could answer them."""

    @property
    def wrong(self) -> Sequence[str]:
        return [*self.wedged, *self.lost, *self.orphans, *self.failed_requests, *self.verify_failures]

    def judge(self, failures: Sequence[Failure], began: float, killed_at: float, noticed_at: float) -> None:
        """Take in the failures since the case `began`. All times are seconds since 1970.

        The victim was killed not before `killed_at`, and its supervisor knew at `noticed_at`.
        """
        for failure in failures:
            if self.killed and self.case.victim == "Traefik" and _was_cut_off(failure, killed_at, noticed_at):
                self.cut_off += 1
            else:
                self.failed_requests.append(f"{failure.why}, {failure.began - began:.2f} s after the beginning")


def _was_cut_off(failure: Failure, killed_at: float, noticed_at: float) -> bool:
    """Tell whether the connection was made with the Traefik that was killed, and broke without an answer."""
    return (
        failure.broke_off
        and failure.connected_at is not None
        and failure.connected_at <= noticed_at
        and failure.ended >= killed_at
    )
