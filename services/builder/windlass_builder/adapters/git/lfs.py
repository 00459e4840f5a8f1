"""Large files that a repository keeps beside its commits: Git LFS brings them while the archive is written.

Its server is the one that belongs to the repository's address, whatever a `.lfsconfig` of the repository says.
"""

import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import windlass_builder
from windlass_builder.adapters.git.command import GitAnswer
from windlass_builder.adapters.git.showing import Shown

ATTRIBUTES = (":(glob)**/.gitattributes", ":(glob).gitattributes")
"""Where a repository says which files are large."""


_AGENT = "import sys; sys.path.insert(0, sys.argv[1]); from windlass_builder.adapters.git.lfs_agent import main; main()"
_ROOT = str(Path(windlass_builder.__file__).parents[1])


def is_installed() -> bool:
    return shutil.which("git-lfs") is not None


def filtering(url: str, shown: Shown, mirror: Path, *, loopback_allowed: bool) -> Shown:
    """Return what Git is told so that it replaces pointers by the files; without a file it fails."""
    return Shown(
        config=(
            *shown.config,
            ("filter.lfs.process", "git-lfs filter-process"),
            ("filter.lfs.smudge", "git-lfs smudge -- %f"),
            ("filter.lfs.clean", "git-lfs clean -- %f"),
            ("filter.lfs.required", "true"),
            ("remote.origin.url", url),
            ("lfs.url", _server(url)),
            ("lfs.locksverify", "false"),
            ("lfs.transfer.maxretries", "2"),
            ("lfs.transfer.maxretrydelay", "1"),
            *_downloads(_server(url), mirror, loopback_allowed=loopback_allowed),
        ),
        descriptors=shown.descriptors,
        agent=shown.agent,
        secrets=shown.secrets,
    )


def _downloads(server: str, mirror: Path, *, loopback_allowed: bool) -> Iterable[tuple[str, str]]:
    """Let our own program do the downloads; by SSH only `git-lfs` knows how to ask."""
    if urlsplit(server).scheme not in {"http", "https"}:
        return ()
    allowed = "loopback" if loopback_allowed else "none"
    arguments = ("-I", "-S", "-c", _AGENT, _ROOT, server, str(mirror / "lfs" / "tmp"), allowed)
    return (
        ("lfs.standalonetransferagent", "windlass"),
        ("lfs.customtransfer.windlass.path", sys.executable),
        ("lfs.customtransfer.windlass.args", shlex.join(arguments)),
        ("lfs.customtransfer.windlass.concurrent", "false"),
    )


def failed(answer: GitAnswer) -> bool:
    """Return whether it was Git LFS that failed."""
    return "filter" in answer.complaint and "lfs" in answer.complaint


def _server(url: str) -> str:
    """Return where the repository's large files are. Source: git-lfs/docs/api/server-discovery.md."""
    if urlsplit(url).scheme not in {"http", "https"}:
        return url
    return f"{url if url.endswith('.git') else f'{url}.git'}/info/lfs"
