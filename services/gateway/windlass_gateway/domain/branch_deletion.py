"""What the deletion of a branch means for a project: its address goes after a while, if it has one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from windlass_contracts.deletions import Deletion
from windlass_contracts.events import BranchDeleted
from windlass_gateway.domain.deployment import Deployment
from windlass_gateway.domain.pushes import BRANCH, Ignored
from windlass_gateway.domain.routes import Routes


@dataclass(frozen=True, slots=True)
class BranchState:
    """What a project knows of a branch: who answers at addresses of branches, and the branch's latest deployment."""

    routes: Routes
    answering: Iterable[Deployment]
    latest: Deployment | None

    def deletion(self, branch: str) -> Deletion | None:
        """Return the branch's deletion; None where there was none, or it was pushed again behind it."""
        known = self.routes.deleted.get(branch)
        again = known is not None and self.latest is not None and self.latest.requested_sequence > known.sequence
        return None if again else known


@dataclass(frozen=True, slots=True)
class AddressGoes:
    """The branch's address goes then, unless the branch is pushed again."""

    branch: str
    until: datetime


def decide_deletion(branch: str, state: BranchState) -> BranchDeleted | AddressGoes | Ignored:
    """Return the event that says that the branch is gone, what that came to before, or why it means nothing here."""
    known = state.deletion(branch)
    if known is not None:
        return AddressGoes(branch, known.until)
    has_address = any(_branch(row) == branch for row in state.answering)
    under_way = state.latest is not None and not state.latest.ended
    if not has_address and not under_way:
        return Ignored(f"The branch {branch} was deleted, and has no address here: what is live stays live.")
    return BranchDeleted(branch=branch)


def _branch(row: Deployment) -> str | None:
    return None if row.branch is None else row.branch.removeprefix(BRANCH)
