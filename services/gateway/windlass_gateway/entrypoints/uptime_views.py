"""How the API shows uptime and latency."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from windlass_contracts.series import Resolution, Series, Sum
from windlass_gateway.domain.uptime import Uptime, percent

Percent = Annotated[float | None, Field(description="of the probes; none where nobody probed. Never rounded up")]


class UptimeView(BaseModel):
    """How much of the time an environment answered as it should."""

    day: Percent
    week: Percent
    quarter: Percent

    @classmethod
    def of(cls, uptime: Uptime) -> "UptimeView":
        return cls(day=percent(uptime.day), week=percent(uptime.week), quarter=percent(uptime.quarter))


class UnitView(BaseModel):
    """A minute, an hour or a day; one in which nobody probed is left out."""

    at: Annotated[datetime, Field(description="when it began")]
    probes: int
    bad: int
    mean_ms: Annotated[float | None, Field(description="of the good ones, as is the worst")]
    worst_ms: int | None

    @classmethod
    def of(cls, at: datetime, probed: Sum) -> "UnitView":
        worst = probed.worst_ms if probed.good else None
        return cls(at=at, probes=probed.probes, bad=probed.bad, mean_ms=probed.mean_ms, worst_ms=worst)


class SeriesView(BaseModel):
    """What is kept of an environment: minutes of three hours, hours of a week, days of 90 days; the oldest first."""

    minutes: list[UnitView]
    hours: list[UnitView]
    days: list[UnitView]

    @classmethod
    def of(cls, series: Series) -> "SeriesView":
        return cls.model_validate({one.name.lower(): _units(series, one) for one in Resolution})


def _units(series: Series, resolution: Resolution) -> list[UnitView]:
    sums = series.of(resolution)
    return [UnitView.of(datetime.fromtimestamp(unit * resolution.unit_s, UTC), sums[unit]) for unit in sorted(sums)]
