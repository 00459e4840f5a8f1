"""When a node takes no builds."""

from pathlib import Path

import pytest

from windlass_builder.adapters.machine import measured
from windlass_builder.domain.room import Room, Thresholds, shortage

GIB = 1024**3
MIB = 1024**2


@pytest.mark.parametrize(
    ("free", "total", "code"),
    [(11, 100, None), (9, 100, "disk"), (1.9, 10, "disk"), (2.1, 10, None), (0, 0.5, "disk")],
)
def test_disk_is_short_below_a_share_and_below_an_amount(free: float, total: float, code: str | None) -> None:
    found = shortage(Room(disk_free=round(free * GIB), disk_total=round(total * GIB)), Thresholds())
    assert (found and found.code) == code


def test_reason_names_what_there_is_and_what_is_needed() -> None:
    found = shortage(Room(disk_free=9 * GIB, disk_total=100 * GIB), Thresholds())
    assert found is not None
    assert found.reason.startswith("The node has 9.0 GiB of disk left, and begins no build below 10.0 GiB")


def test_memory_is_short_below_an_amount_and_unknown_memory_never_is() -> None:
    disk = {"disk_free": 90 * GIB, "disk_total": 100 * GIB}
    short = shortage(Room(**disk, memory_free=255 * MIB, memory_total=GIB), Thresholds())
    assert short is not None
    assert short.code == "memory"
    assert shortage(Room(**disk, memory_free=256 * MIB, memory_total=GIB), Thresholds()) is None
    assert shortage(Room(**disk), Thresholds()) is None


def test_this_machine_is_measured(tmp_path: Path) -> None:
    room = measured([tmp_path, tmp_path / "missing"])
    assert 0 < room.disk_free <= room.disk_total
    assert room.memory_free is not None
    assert room.memory_total is not None
    assert 0 < room.memory_free <= room.memory_total


def test_machine_that_does_not_tell_of_its_memory_is_measured_without_it(tmp_path: Path) -> None:
    assert measured([tmp_path], memory=tmp_path / "missing").memory_free is None
