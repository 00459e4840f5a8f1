"""This node: what it is called, what it can build on, and where it may put things."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Node:
    """`runners` maps the contract's names of runners to what the runtime calls them."""

    name: str
    installation: str
    runtime: str
    runners: Mapping[str, str]
    scratch: Path
    build_disk_bytes: int
