"""The steps of a gradual rollout as people write them: `5:10m,25:30m`, a percentage and for how long it stays."""

import re
from collections.abc import Mapping

from windlass_contracts.config import Rollout

_STEP = re.compile(r"\s*([0-9]{1,3})\s*%?\s*:\s*([0-9]{1,5})\s*([smh]?)\s*")
_UNITS = ((3_600, "h"), (60, "m"), (1, "s"))
_SECONDS: Mapping[str, int] = {"": 1, "s": 1, "m": 60, "h": 3_600}
_LONGEST = 400


def steps_of(written: object) -> object:
    """Return what is written as a setting's value; what is no text stays as it is.

    Raises:
        ValueError: it is no list of steps.
    """
    if not isinstance(written, str):
        return written
    parts = [_STEP.fullmatch(part) for part in written[:_LONGEST].split(",")]
    if len(written) > _LONGEST or None in parts:
        msg = "write steps like 5:10m,25:30m: the percentage of the requests, and for how long (s, m or h)"
        raise ValueError(msg)
    return {"steps": [{"weight": int(one[1]), "for_s": int(one[2]) * _SECONDS[one[3]]} for one in parts if one]}


def written_steps(rollout: Rollout | None) -> str:
    """Return the steps as people write them; nothing where there are none."""
    return "" if rollout is None else ",".join(f"{step.weight}:{_written(step.for_s)}" for step in rollout.steps)


def _written(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"
