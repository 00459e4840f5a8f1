"""How the phase of a deployment looks: a word, an icon, and a tone that is never the only sign."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from windlass_contracts.lifecycle import Phase


@dataclass(frozen=True, slots=True)
class Look:
    """`tone` is one of good, running, bad, quiet; `favicon` is shown in the browser's tab."""

    word: str
    icon: str
    tone: str

    @property
    def favicon(self) -> str:
        return {"running": "favicon-running.svg", "bad": "favicon-failed.svg"}.get(self.tone, "favicon.svg")


LOOKS: Mapping[Phase, Look] = MappingProxyType(
    {
        Phase.REQUESTED: Look("Queued", "circle-dashed", "running"),
        Phase.BUILDING: Look("Building", "loader-circle", "running"),
        Phase.BUILT: Look("Starting", "loader-circle", "running"),
        Phase.STARTED: Look("Checking health", "loader-circle", "running"),
        Phase.HEALTHY: Look("Healthy", "loader-circle", "running"),
        Phase.CUTOVER: Look("Switching over", "loader-circle", "running"),
        Phase.LIVE: Look("Live", "circle-check", "good"),
        Phase.FAILED: Look("Failed", "circle-x", "bad"),
        Phase.CANCELED: Look("Canceled", "ban", "quiet"),
        Phase.SUPERSEDED: Look("Superseded", "layers", "quiet"),
    }
)
_WAS_LIVE = Look("Was live", "history", "quiet")


_TAKEN_BACK = Look("Taken back", "undo-2", "bad")
_HELD_BACK = Look("Held back", "git-branch", "quiet")
_SKIPPED = Look("Skipped", "ban", "quiet")


def look(
    phase: Phase,
    *,
    current: bool = True,
    skipped: bool = False,
    share: int | None = None,
    held_back: bool = False,
    taken_back: bool = False,
) -> Look:
    """Return how a deployment in this phase looks.

    `current` says whether its environment answers with it, `skipped` whether it was a push that changed nothing, and
    `held_back` whether it is live beside its environment, which a rollback holds; `taken_back` whether it failed there.
    `share` is the percentage of requests that it gets beside what has the environment.
    """
    if skipped:
        return _SKIPPED
    if share is not None and not current:
        return Look(f"Rolling out, {share} %", "loader-circle", "running")
    if held_back:
        return _HELD_BACK
    if taken_back:
        return _TAKEN_BACK
    return _WAS_LIVE if phase is Phase.LIVE and not current else LOOKS[phase]
