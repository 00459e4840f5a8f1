"""What the monitor sums up of the probes of an environment, in the bucket SERIES: minutes, hours and days.

A unit of time is named by its number since the epoch, in UTC. One in which nothing was probed is not there: the monitor
was away, or nothing was live. The days hold all that the hours do, and those all that the minutes do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import to_json


class Resolution(Enum):
    """How long a unit is, in seconds, and how many of them are kept."""

    MINUTES = (60, 180)
    HOURS = (3_600, 168)
    DAYS = (86_400, 90)

    @property
    def unit_s(self) -> int:
        return self.value[0]

    @property
    def kept(self) -> int:
        return self.value[1]


class Sum(NamedTuple):
    """Some probes: `total_ms` and `worst_ms` are of the good ones."""

    probes: int = 0
    bad: int = 0
    total_ms: int = 0
    worst_ms: int = 0

    @property
    def good(self) -> int:
        return self.probes - self.bad

    @property
    def mean_ms(self) -> float | None:
        """Return how long a good one took; None where there was none."""
        return self.total_ms / self.good if self.good else None

    def plus(self, other: "Sum") -> "Sum":
        return Sum(
            self.probes + other.probes,
            self.bad + other.bad,
            self.total_ms + other.total_ms,
            max(self.worst_ms, other.worst_ms),
        )


Sums = Mapping[int, Sum]
"""Sums by the number of the unit; those without a probe are left out."""


@dataclass(frozen=True, slots=True)
class Series:
    """What is kept of one environment."""

    minutes: Sums = field(default_factory=dict)
    hours: Sums = field(default_factory=dict)
    days: Sums = field(default_factory=dict)

    def of(self, resolution: Resolution) -> Sums:
        match resolution:
            case Resolution.MINUTES:
                return self.minutes
            case Resolution.HOURS:
                return self.hours
            case Resolution.DAYS:
                return self.days


def series_key(project: object, environment: object) -> str:
    """Return where the series of an environment lies."""
    return f"{project}.{environment}"


_Counts = list[int]


class _Written(BaseModel):
    """Columns: how many units behind `since` each unit is, and its sum. There are many of them, read every minute."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: int = 0
    units: _Counts = []
    probes: _Counts = []
    bad: _Counts = []
    total_ms: _Counts = []
    worst_ms: _Counts = []

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        columns = (self.units, self.probes, self.bad, self.total_ms, self.worst_ms)
        if len({len(column) for column in columns}) > 1 or any(min(column, default=0) < 0 for column in columns):
            msg = "no columns of counts"
            raise ValueError(msg)
        return self

    @property
    def sums(self) -> Sums:
        rows = zip(self.probes, self.bad, self.total_ms, self.worst_ms, strict=True)
        return dict(zip([self.since + unit for unit in self.units], map(Sum._make, rows), strict=True))


def _columns(sums: Sums) -> Mapping[str, object]:
    since = min(sums, default=0)
    columns = zip(*sums.values(), strict=True) if sums else ((),) * len(Sum._fields)
    return {"since": since, "units": [unit - since for unit in sums], **dict(zip(Sum._fields, columns, strict=True))}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    minutes: _Written = _Written()
    hours: _Written = _Written()
    days: _Written = _Written()


def written(series: Series) -> bytes:
    """Return the series as the bucket holds it: some 10 KiB at most."""
    return to_json({one.name.lower(): _columns(series.of(one)) for one in Resolution})


def series_of(content: bytes) -> Series | None:
    """Return what the bucket holds; None where this release cannot read it."""
    try:
        value = _Value.model_validate_json(content)
    except ValidationError:
        return None
    return Series(value.minutes.sums, value.hours.sums, value.days.sums)
