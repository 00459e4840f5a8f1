"""Sources from Git repositories: a ref is resolved to a commit, the commit is fetched alone, and handed on as a tar.

Submodules are fetched as the repository itself is, each by its own address and with what opens that; files in Git LFS
are brought by `git-lfs`.
"""

import asyncio
import fcntl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from windlass_builder.adapters.git import lfs, tars
from windlass_builder.adapters.git.command import LARGEST_FILE, GitAnswer, GitCommand, OutputTooLongError
from windlass_builder.adapters.git.failures import failure, offers_only_branches
from windlass_builder.adapters.git.mirror import Mirror
from windlass_builder.adapters.git.mirrors import mirror_name
from windlass_builder.adapters.git.refs import ADVERTISED, read_heads
from windlass_builder.adapters.git.showing import Shown, showing
from windlass_builder.adapters.git.submodules import DEEPEST, MOST, submodules_of
from windlass_builder.adapters.git.wanted import Wanted
from windlass_builder.application.access import NO_ACCESS, Access
from windlass_builder.application.source import (
    BadRefError,
    BadRepositoryUrlError,
    BadRootError,
    LargeFilesError,
    ProgramMissingError,
    RefNotFoundError,
    RepositoryHeads,
    RootNotFoundError,
    SourceError,
    SourceLocation,
    SourceTimedOutError,
    SourceTooLargeError,
    TooManyFilesError,
)
from windlass_builder.domain.repository import is_commit, ref_problem, repository_url_problem, root_problem

_PROTOCOLS = ("http", "https", "ssh", "git")


class GitSource:
    """`SourceFetcher` by the machine's `git`, with its mirrors under `home`.

    Repositories below `local_repositories` may be fetched from disk, and others from this machine's own servers where
    `loopback_allowed`: for development and tests.
    """

    def __init__(
        self,
        home: Path,
        *,
        local_repositories: Sequence[Path] = (),
        loopback_allowed: bool = False,
        timeout: timedelta = timedelta(seconds=120),
        most_files: int = 200_000,
    ) -> None:
        self._mirrors = home / "mirrors"
        self._mirrors.mkdir(parents=True, exist_ok=True)
        self._local = tuple(folder.resolve() for folder in local_repositories)
        self._loopback_allowed = loopback_allowed
        self._timeout = timeout
        self._most_files = most_files
        self._git = GitCommand(self._mirrors, timeout, (*_PROTOCOLS, "file") if self._local else _PROTOCOLS)
        self._locks = defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def heads(self, url: str) -> RepositoryHeads:
        self._check_url(url)
        return read_heads((await self._list_remote(url, "HEAD", ADVERTISED, NO_ACCESS)).output)

    async def resolve(self, url: str, ref: str, access: Access = NO_ACCESS) -> str:
        self._check_url(url)
        if problem := ref_problem(ref):
            raise BadRefError(f"The ref {ref!r} {problem}.")
        if is_commit(ref):
            return ref
        names = [ref, f"refs/heads/{ref}", f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}"]
        answer = await self._list_remote(url, ref, names, access)
        lines = (line.partition("\t") for line in answer.output.split("\n"))
        found = {name: commit for commit, _, name in lines if is_commit(commit)}
        # A pattern also matches the end of longer names; an annotated tag's own SHA is not its commit's.
        commit = next((found[name] for name in names if name in found), None)
        if commit is None:
            raise RefNotFoundError(url, ref)
        return commit

    async def fetch(self, location: SourceLocation, commit: str, archive: Path, access: Access = NO_ACCESS) -> None:
        self._check_url(location.url)
        if not is_commit(commit):
            raise BadRefError(f"{commit!r} is no full commit SHA.")
        if problem := root_problem(location.root):
            raise BadRootError(f"The root folder {location.root!r} {problem}.")
        root = location.root.strip("/").removeprefix("./")
        draft = archive.with_name(f"{archive.name}.part")
        try:
            await self._write(Wanted(location.url, commit, root="" if root == "." else root), draft, access)
            draft.replace(archive)
        finally:
            draft.unlink(missing_ok=True)

    async def _write(self, top: Wanted, draft: Path, access: Access) -> None:
        """Write the commit with its submodules, one repository after the other: two may be the same."""
        more, waiting = draft.with_name(f"{draft.name}.more"), deque([top])
        asked, left = 0, self._most_files
        try:
            while waiting:
                wanted = waiting.popleft()
                self._check_submodule(top, wanted, asked)
                into = more if _size(draft) else draft
                files, below = await self._write_one(wanted, into, access, left)
                waiting.extend(below)
                left -= files
                asked += 1
                if into is more:
                    await asyncio.to_thread(tars.append, draft, more)
                if _size(draft) > LARGEST_FILE:
                    raise SourceTooLargeError(top.url)
        finally:
            more.unlink(missing_ok=True)

    async def _write_one(self, wanted: Wanted, archive: Path, access: Access, most: int) -> tuple[int, list[Wanted]]:
        """Write one repository's tree, of so many files at most; return how many it has, and the submodules in it."""
        async with self._bounded(wanted.url), self._mirror(wanted.url, access) as mirror:
            await mirror.make()
            if not await mirror.has_tree(f"{wanted.commit}:"):
                await self._fetch(mirror, wanted.url, wanted.commit)
            below = await submodules_of(mirror, wanted)
            if not await mirror.has_tree(f"{wanted.commit}:{wanted.root}"):
                around = [one for one in below if one.holds_root]
                if not around:
                    raise RootNotFoundError(wanted.root, wanted.commit)
                return 0, around
            files = await self._counted(mirror, wanted, most)
            await self._write_tree(mirror, wanted, archive)
            return files, [one for one in below if not one.holds_root]

    async def _counted(self, mirror: Mirror, wanted: Wanted, most: int) -> int:
        try:
            files = await mirror.count_files(wanted)
        except OutputTooLongError as error:
            raise TooManyFilesError(wanted.url, self._most_files) from error
        if files > most:
            raise TooManyFilesError(wanted.url, self._most_files)
        return files

    async def _write_tree(self, mirror: Mirror, wanted: Wanted, archive: Path) -> None:
        large = await mirror.has_large_files(wanted.commit)
        if large and not lfs.is_installed():
            raise ProgramMissingError("git-lfs", "git-lfs")
        answer = await mirror.archive(wanted, archive, large=large)
        if answer.exit_code and lfs.failed(answer):
            raise LargeFilesError(wanted.url, answer.complaint)
        if answer.exit_code:
            raise self._failure(wanted.url, answer, wanted.commit, mirror.shown)
        if large and wanted.root:
            await asyncio.to_thread(tars.move_up, archive, wanted.root)

    def _check_submodule(self, top: Wanted, wanted: Wanted, asked: int) -> None:
        """Hold submodules to what is asked of the repository itself.

        Raises: BadRepositoryUrlError, SourceTooLargeError.
        """
        if wanted is top:
            return
        if asked > MOST or wanted.depth > DEEPEST:
            raise BadRepositoryUrlError(
                f"{top.url} has more than {MOST} submodules, or some more than {DEEPEST} deep; deploy fewer of them."
            )
        try:
            self._check_url(wanted.url)
        except BadRepositoryUrlError as error:
            raise BadRepositoryUrlError(f"The submodule {wanted.name[:100]!r} cannot be fetched. {error}") from error
        if wanted.url.startswith("file:") and not top.url.startswith("file:"):
            raise BadRepositoryUrlError(f"The submodule {wanted.name[:100]!r} lies on this machine's disk.")

    async def changed(self, url: str, before: str, after: str, access: Access = NO_ACCESS) -> frozenset[str] | None:
        self._check_url(url)
        if not is_commit(before) or not is_commit(after):
            return None
        async with self._bounded(url), self._mirror(url, access) as mirror:
            await mirror.make()
            for commit in (before, after):
                if not await mirror.has_tree(f"{commit}:"):
                    await self._fetch(mirror, url, commit)
            return await mirror.changed(before, after)

    async def _list_remote(self, url: str, ref: str, names: Sequence[str], access: Access) -> GitAnswer:
        async with self._bounded(url), showing(access.opening(url), url) as shown:
            answer = await self._git.run("ls-remote", "--quiet", "--symref", "--", url, *names, shown=shown)
        if answer.exit_code:
            raise self._failure(url, answer, ref, shown)
        return answer

    async def _fetch(self, mirror: Mirror, url: str, commit: str) -> None:
        """Fetch the commit alone, or, from a server that hands out no single commits, all there is."""
        answer = await mirror.fetch_commit(url, commit)
        if answer.exit_code and offers_only_branches(answer):
            answer = await mirror.fetch_everything(url)
        if answer.exit_code:
            raise self._failure(url, answer, commit, mirror.shown)
        if not await mirror.has_tree(f"{commit}:"):
            raise RefNotFoundError(url, commit)

    def _failure(self, url: str, answer: GitAnswer, ref: str, shown: Shown) -> SourceError:
        return failure(url, answer, ref, known_hosts=self._git.known_hosts, shown=bool(shown))

    def _check_url(self, url: str) -> None:
        problem = repository_url_problem(url, loopback_allowed=self._loopback_allowed)
        if problem is None and url.startswith("file:") and not self._is_local_repository(url):
            problem = (
                "lies in none of the folders that this installation may deploy from; "
                "name the folder in WINDLASS_LOCAL_REPOSITORIES when you start Windlass"
            )
        if problem is not None:
            raise BadRepositoryUrlError(f"The repository's address {url[:200]!r} {problem}.")

    def _is_local_repository(self, url: str) -> bool:
        folder = Path(unquote(urlsplit(url).path)).resolve()
        return any(folder.is_relative_to(allowed) for allowed in self._local)

    @asynccontextmanager
    async def _bounded(self, url: str) -> AsyncIterator[None]:
        """Say of a Git that was stopped which bound it met."""
        try:
            yield
        except TimeoutError as error:
            raise SourceTimedOutError(url, self._timeout) from error
        except OutputTooLongError as error:
            raise SourceTooLargeError(url) from error

    @asynccontextmanager
    async def _mirror(self, url: str, access: Access) -> AsyncIterator[Mirror]:
        """Yield the repository's mirror, ours alone; a killed builder's Git keeps the lock while it runs on.

        What was fetched with a project's credential lies in a mirror that no other project gets.
        """
        credential = access.opening(url)
        name = mirror_name(url, None if credential is None else access.owner)
        async with self._locks[name], showing(credential, url) as shown:
            with (self._mirrors / f"{name}.lock").open("w") as lock:
                await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
                folder, allowed = self._mirrors / f"{name}.git", self._loopback_allowed
                yield Mirror(self._git, folder, lock.fileno(), shown, loopback_allowed=allowed)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
