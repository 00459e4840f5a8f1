"""One repository's part of an archive."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """The folder `root` of a commit, to be written under `prefix`; both are empty for the top.

    Of a submodule, `name` is where it stands in the repository above, which is `depth` deep; `holds_root` says that the
    folder which is deployed is it, or in it.
    """

    url: str
    commit: str
    prefix: str = ""
    root: str = ""
    name: str = ""
    depth: int = 0
    holds_root: bool = False
