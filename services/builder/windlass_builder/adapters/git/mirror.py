"""A bare repository that holds the commits that were fetched from one address, each without its history."""

from collections.abc import Sequence
from pathlib import Path

from windlass_builder.adapters.git import lfs
from windlass_builder.adapters.git.command import GitAnswer, GitCommand
from windlass_builder.adapters.git.showing import NOTHING, Shown
from windlass_builder.adapters.git.wanted import Wanted

# A repository may ask archives to leave files out or to rewrite them; a deployment is the commit as it stands.
_ATTRIBUTES = "* -export-ignore -export-subst\n"
# Objects that no ref names are collected in time; the last commit is named, so that a fetch brings only what changed.
_LAST = "refs/windlass/last"


class Mirror:
    """The mirror in `folder`, used by one at a time: `lock` is the open file that says so, and Git keeps it open.

    Fetches show the credential `shown`. Large files may come from this machine itself where `loopback_allowed`.
    """

    def __init__(
        self, git: GitCommand, folder: Path, lock: int, shown: Shown, *, loopback_allowed: bool = False
    ) -> None:
        self._git = git
        self._loopback_allowed = loopback_allowed
        self._folder = folder
        self._lock = lock
        self.shown = shown

    async def make(self) -> None:
        """Make the mirror if need be, and heal one that was left in the middle of a fetch."""
        if not (self._folder / "info" / "attributes").exists():
            await self._run("init", "--bare", "--quiet", "--template=", str(self._folder))
            (self._folder / "info").mkdir(exist_ok=True)
            (self._folder / "info" / "attributes").write_text(_ATTRIBUTES)
        for pattern in ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*"):
            for left_behind in self._folder.glob(pattern):
                left_behind.unlink(missing_ok=True)

    async def has_tree(self, revision: str) -> bool:
        """Return whether the revision (`<commit>:<folder>`) is here and is a folder."""
        answer = await self._run("cat-file", "-t", revision)
        return answer.output.strip() == "tree"

    async def fetch_commit(self, url: str, commit: str) -> GitAnswer:
        """Fetch that commit alone, without its history."""
        return await self._fetch(["--depth=1"], url, f"+{commit}:{_LAST}")

    async def fetch_everything(self, url: str) -> GitAnswer:
        """Fetch all branches and tags: what servers allow that hand out no single commit."""
        return await self._fetch([], url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")

    async def changed(self, before: str, after: str) -> frozenset[str] | None:
        """Return the paths that differ between two commits; one that is no text has marks in it. None on a failure."""
        answer = await self._run("diff-tree", "-r", "-z", "--no-renames", "--name-only", before, after)
        return None if answer.exit_code else frozenset(filter(None, answer.output.split("\0")))

    async def submodules(self, commit: str) -> tuple[str, str]:
        """Return what Git says of the commit's `.gitmodules` and, where there is one, of its tree."""
        told = await self._run("config", "--blob", f"{commit}:.gitmodules", "--null", "--list")
        if told.exit_code or not told.output:
            return "", ""
        tree = await self._run("ls-tree", "-r", "-z", "--full-tree", commit)
        return told.output, tree.output

    async def count_files(self, wanted: Wanted) -> int:
        """Return how many files the tree has, links and submodules too.

        Raises: OutputTooLongError, where their names are more than anybody would read.
        """
        told = await self._run("ls-tree", "-r", "-z", "--name-only", f"{wanted.commit}:{wanted.root}")
        return told.output.count("\0")

    async def has_large_files(self, commit: str) -> bool:
        """Return whether the commit says of some files that they are in Git LFS."""
        found = await self._run("grep", "-q", "-F", "-e", "filter=lfs", commit, "--", *lfs.ATTRIBUTES)
        return found.exit_code == 0

    async def archive(self, wanted: Wanted, target: Path, *, large: bool) -> GitAnswer:
        """Write the tree as a tar; large files by what they stand for, and then with the root in their paths."""
        options = ["--format=tar", f"--output={target}", *([f"--prefix={wanted.prefix}/"] if wanted.prefix else [])]
        if not large:
            return await self._run("archive", *options, f"{wanted.commit}:{wanted.root}")
        # Attributes count from the top of what is named: of the whole commit, although a folder of it is written.
        only = ("--", f":(literal){wanted.root}") if wanted.root else ()
        shown = lfs.filtering(wanted.url, self.shown, self._folder, loopback_allowed=self._loopback_allowed)
        return await self._run("archive", *options, f"{wanted.commit}:", *only, shown=shown)

    async def _fetch(self, options: Sequence[str], url: str, *refspecs: str) -> GitAnswer:
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        return await self._run("fetch", *quiet, *options, "--", url, *refspecs, shown=self.shown)

    async def _run(self, *arguments: str, shown: Shown = NOTHING) -> GitAnswer:
        return await self._git.run(f"--git-dir={self._folder}", *arguments, kept_open=(self._lock,), shown=shown)
