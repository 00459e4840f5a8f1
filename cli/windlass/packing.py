"""A folder as one archive: a tar, packed with zstd, without what its ignore files leave out, and the same each time."""

import hashlib
import os
import re
import stat
import tarfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import zstandard
from pathspec import GitIgnoreSpec

from windlass.errors import BadInputError

MAX_BYTES = 512 * 1024 * 1024
MOST_FILES = 100_000
_DEEPEST = 200
"""Folders in one another: the builder takes paths of 1,000 characters."""
_IGNORE_FILES = (".gitignore", ".dockerignore", ".windlassignore")
"""The last one that says something about a path counts. `.dockerignore` is read as the others are."""
_NEVER = frozenset({".git", ".hg", ".svn", ".windlass", "__pycache__", ".venv", "node_modules"})
_LEVEL = 3

Told = Callable[[int, int], None]
"""How many of how many bytes are done."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is packed of a folder: paths below it, and what its files weigh."""

    folder: Path
    paths: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive on this disk."""

    file: Path
    size: int
    digest: str
    """`sha256:` and hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """The ignore files of a folder; patterns count for what lies below it."""

    folder: str
    specs: tuple[GitIgnoreSpec, ...]

    def says(self, path: str) -> bool | None:
        """Return whether a path is left out; None where nothing is said about it."""
        below = path.removeprefix(f"{self.folder}/") if self.folder else path
        said = [answer for spec in self.specs if (answer := spec.check_file(below).include) is not None]
        return said[-1] if said else None


def find_files(folder: Path) -> Found:
    """Look for what is to be packed.

    Raises:
        BadInputError: there is nothing, too much, or something that cannot be packed.
    """
    walk = _Walk(folder)
    try:
        paths = tuple(sorted(walk.below("", ())))
    except OSError as error:
        raise _unreadable(folder, error) from error
    if not paths:
        raise BadInputError(f"There is nothing to deploy in {folder}.", "Look at its ignore files, or name another.")
    return Found(folder, paths, walk.bytes)


@dataclass(slots=True)
class _Walk:
    folder: Path
    bytes: int = 0
    files: int = field(default=0)

    def below(self, prefix: str, rules: tuple[_Rules, ...]) -> Iterator[str]:
        if prefix.count("/") >= _DEEPEST:
            raise BadInputError(f"{self.folder} has folders that are too deep.", "Leave them out: .windlassignore.")
        rules = (*rules, *self._rules(prefix))
        with os.scandir(self.folder / prefix) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                path = f"{prefix}/{entry.name}" if prefix else entry.name
                is_folder = entry.is_dir(follow_symlinks=False)
                if entry.name in _NEVER or _is_ignored(f"{path}/" if is_folder else path, rules):
                    continue
                if is_folder:
                    yield from self.below(path, rules)
                elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                    self._count(entry)
                    yield path

    def _count(self, entry: "os.DirEntry[str]") -> None:
        self.files += 1
        self.bytes += entry.stat(follow_symlinks=False).st_size
        if self.files > MOST_FILES:
            raise BadInputError(
                f"{self.folder} has more than {MOST_FILES} files.", "Leave out what is not needed: .windlassignore."
            )

    def _rules(self, prefix: str) -> Iterator[_Rules]:
        texts = [self.folder / prefix / name for name in _IGNORE_FILES]
        specs = [_spec(text) for text in texts if text.is_file()]
        if specs:
            yield _Rules(prefix, tuple(specs))


def _unreadable(folder: Path, error: OSError) -> BadInputError:
    return BadInputError(f"{folder} cannot be packed: {error}", "Make it readable, or leave it out.")


def _spec(file: Path) -> GitIgnoreSpec:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # `[[]` is a set with a bracket, here as in Git
            return GitIgnoreSpec.from_lines(file.read_text(errors="replace").splitlines())
    except (ValueError, re.error) as error:
        raise BadInputError(f"{file} has a pattern that is none: {error}", "Correct it.") from error


def _is_ignored(path: str, rules: tuple[_Rules, ...]) -> bool:
    said = [answer for one in rules if (answer := one.says(path)) is not None]
    return bool(said) and said[-1]


def pack(found: Found, target: Path, told: Told) -> Packed:
    """Write the archive. The same files make the same bytes: neither owners nor times are in it.

    Raises:
        BadInputError: it becomes too large, or a file cannot be read.
    """
    counted = _Counted(target)
    try:
        with (
            counted,
            zstandard.ZstdCompressor(level=_LEVEL).stream_writer(counted, closefd=False) as packing,  # type: ignore[arg-type]
            tarfile.open(fileobj=packing, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            done = 0
            for path in found.paths:
                done += _add(tar, found.folder, path)
                told(done, found.bytes)
    except OSError as error:
        raise _unreadable(found.folder, error) from error
    except UnicodeEncodeError as error:
        raise BadInputError("A name in the folder is not UTF-8.", "Rename it, or leave it out.") from error
    return Packed(target, counted.size, f"sha256:{counted.digest.hexdigest()}")


class _Counted:
    """A file that knows its size and digest, and does not become larger than what is taken."""

    def __init__(self, target: Path) -> None:
        self._file: IO[bytes] = target.open("wb")
        self.size = 0
        self.digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, content: bytes) -> int:
        self.size += len(content)
        if self.size > MAX_BYTES:
            raise BadInputError(
                f"The folder is larger than {MAX_BYTES // 2**20} MiB when it is packed.",
                "Leave out what the app does not need, in .windlassignore, or deploy from a repository.",
            )
        self.digest.update(content)
        return self._file.write(content)

    def flush(self, *_: object) -> None:
        self._file.flush()


def _add(tar: tarfile.TarFile, folder: Path, path: str) -> int:
    place = folder / path
    known = place.lstat()
    member = tarfile.TarInfo(path.encode("utf-8").decode())
    if stat.S_ISLNK(known.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, str(place.readlink())
        tar.addfile(member)
        return 0
    member.size, member.mode = known.st_size, 0o755 if known.st_mode & stat.S_IXUSR else 0o644
    with place.open("rb") as content:
        tar.addfile(member, content)
    return known.st_size
