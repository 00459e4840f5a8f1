"""What one look of `windlass doctor` found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and what to do about it."""

    name: str
    verdict: Verdict
    says: str
    remedy: str = ""

    def document(self) -> dict[str, str]:
        return {"name": self.name, "verdict": self.verdict, "says": self.says, "remedy": self.remedy}
