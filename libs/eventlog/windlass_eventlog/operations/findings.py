"""What a verification found: which of the things that always hold does not, where, and what to do."""

from enum import IntEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

MOST_FINDINGS = 100
"""An answer names as many; it says how many more there are."""

_LONGEST = 500


class Invariant(IntEnum):
    """What always holds; numbered as in docs/architecture.md."""

    ENDS = 1
    """Every accepted request ends, within its deadlines, in exactly one way."""

    ROUTES = 2
    """A route points only at what was seen healthy, and is applied only once the proxy answered with it."""

    UNBROKEN = 3
    """A cutover, a rollback or a restart of the platform fails no request."""

    LATEST_WINS = 4
    """An older commit that is ready later takes no address from a newer one."""

    REBUILDABLE = 5
    """Rows rebuilt from the log are the rows that were there; and the log can be read whole."""

    RUNNING = 6
    """What should run runs, what should not does not."""

    ISOLATED = 7
    """No app reaches another project, nor the platform."""

    SECRET = 8
    """No secret stands where it can be read; what a rollback needs is there."""

    REFUSED = 9
    """A refusal changes nothing."""


class Finding(BaseModel):
    """Something that should not be so."""

    model_config = ConfigDict(frozen=True)

    invariant: Invariant
    code: str
    """What kind of finding it is, for programs."""
    where: str
    """What it is about: a deployment, a sequence, a container, an address."""
    what: str
    remedy: str

    @classmethod
    def of(cls, invariant: Invariant, code: str, where: object, what: str, remedy: str) -> Self:
        """Make one that fits into an answer, however long the texts are."""
        return cls(
            invariant=invariant,
            code=code,
            where=str(where)[:_LONGEST],
            what=what[:_LONGEST],
            remedy=remedy[:_LONGEST],
        )

    @property
    def identity(self) -> tuple[Invariant, str, str]:
        """What makes it the same finding when it is looked for again."""
        return self.invariant, self.code, self.where


class Checked(BaseModel):
    """What was looked at, and how many of it."""

    model_config = ConfigDict(frozen=True)

    invariant: Invariant
    what: str
    count: int


class Verified(BaseModel):
    """The outcome of a verification, as far as one service can tell. `left_out` findings had no room."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["verify"] = "verify"
    sequence: int
    """How far the log was read when it was looked at."""
    checked: tuple[Checked, ...]
    findings: tuple[Finding, ...]
    left_out: int = 0

    @classmethod
    def of(cls, sequence: int, checked: list[Checked], findings: list[Finding]) -> Self:
        kept = tuple(findings[:MOST_FINDINGS])
        return cls(sequence=sequence, checked=tuple(checked), findings=kept, left_out=max(0, len(findings) - len(kept)))
