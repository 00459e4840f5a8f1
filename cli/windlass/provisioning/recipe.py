"""What an image is made from: a few files held in memory, their digest, and the build context they make."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Recipe:
    """A Dockerfile and the files beside it, by their path in the build context."""

    files: Mapping[str, bytes]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Take every file of `folder`, which is small."""
        paths = (path for path in folder.rglob("*") if path.is_file())
        return cls({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})

    def digest(self, *others: str) -> str:
        """Return the SHA-256 of all files and of the digests the recipe builds upon, in hex."""
        total = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            total.update(f"{name}\0{len(content)}\0".encode())
            total.update(content)
        for other in others:
            total.update(f"\0{other}".encode())
        return total.hexdigest()

    def context(self) -> bytes:
        """Return the build context as an uncompressed tar archive; files carry no time and no owner."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, content in sorted(self.files.items()):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return archive.getvalue()
