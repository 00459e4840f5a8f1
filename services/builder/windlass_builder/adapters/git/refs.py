"""What `git ls-remote --symref` says of a repository's branches and tags."""

from windlass_builder.application.source import RepositoryHeads
from windlass_builder.domain.repository import is_commit

ADVERTISED = ("HEAD", "refs/heads/*", "refs/tags/*")
"""The patterns whose answer `read_heads` reads."""

_PEELED = "^{}"
_USUAL = ("main", "master")


def read_heads(output: str) -> RepositoryHeads:
    """Return the branches and tags by name, an annotated tag as its commit; what is no name or commit is left out."""
    symbolic: dict[str, str] = {}
    commits: dict[str, str] = {}
    for line in output.split("\n"):
        value, _, name = line.partition("\t")
        if value.startswith("ref: "):
            symbolic[name] = value.removeprefix("ref: ")
        elif is_commit(value) and "\ufffd" not in name:
            commits[name] = value
    branches = _below("refs/heads/", commits)
    tags = _below("refs/tags/", commits)
    peeled = {name.removesuffix(_PEELED): commit for name, commit in tags.items() if name.endswith(_PEELED)}
    lone = {name: commit for name, commit in tags.items() if not name.endswith(_PEELED)}
    default = symbolic.get("HEAD", "").removeprefix("refs/heads/")
    if default not in branches:
        default = _standing_at(commits.get("HEAD"), branches)
    return RepositoryHeads(branches, {**lone, **peeled}, default or None)


def _below(folder: str, commits: dict[str, str]) -> dict[str, str]:
    return {name.removeprefix(folder): commit for name, commit in commits.items() if name.startswith(folder)}


def _standing_at(commit: str | None, branches: dict[str, str]) -> str:
    """Return the branch that HEAD stands for where the server does not say: one at its commit, `main` first."""
    standing = sorted(
        (name for name, at in branches.items() if at == commit), key=lambda name: (name not in _USUAL, name)
    )
    return standing[0] if standing else ""
