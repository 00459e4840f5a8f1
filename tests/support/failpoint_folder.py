"""A test's side of the failpoints: arming one, and reading which were reached."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from support.platform import Platform
from windlass_eventlog.failpoints import VARIABLE, Armed, Reached

_BETWEEN_LOOKS_S = 0.01


@dataclass(frozen=True)
class FailpointFolder:
    """The folder that an installation was told of when it was started."""

    path: Path

    @classmethod
    def made(cls, path: Path) -> Self:
        path.mkdir(parents=True)
        return cls(path)

    @classmethod
    def of(cls, platform: Platform) -> Self:
        """Return the folder that an installation was told of."""
        return cls(Path(platform.environment[VARIABLE]))

    @property
    def environment(self) -> dict[str, str]:
        """What the supervisor has to be started with."""
        return {VARIABLE: str(self.path)}

    def arm(self, armed: Armed) -> None:
        """Arm this point alone, for whoever is the first to come by."""
        written = self.path / "arming.json"
        written.write_text(json.dumps(asdict(armed)))
        written.rename(self._armed)

    def disarm(self) -> None:
        """Arm nothing any more."""
        self._armed.unlink(missing_ok=True)

    def killed_at(self, armed: Armed, within_s: float) -> float | None:
        """Wait for the kill; return when it was, in seconds since 1970, or None where nobody came by in time."""
        evidence = self.path / f"disarmed-{armed.token}.json"
        until = time.monotonic() + within_s
        while not evidence.exists():
            if time.monotonic() > until:
                return None
            time.sleep(_BETWEEN_LOOKS_S)  # a file system says nothing by itself to the standard library
        return evidence.stat().st_ctime

    def reached(self, after: int = 0) -> Sequence[Reached]:
        """Return the points that were reached, but for the first `after`."""
        try:
            lines = (self.path / "reached.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [Reached(**json.loads(line)) for line in lines[after:]]

    @property
    def _armed(self) -> Path:
        return self.path / "armed.json"
