"""Where a repository's commits can be read, on the hosts whose addresses are known."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

from windlass_gateway.entrypoints.pages.lines import repository_name

_HOSTS = {"github.com": "/", "gitlab.com": "/-/", "codeberg.org": "/"}
"""What stands between a repository's path and its pages."""


@dataclass(frozen=True, slots=True)
class RepositoryLinks:
    """Addresses of a repository's pages; None where they are not known."""

    name: str | None
    home: str | None = None
    pages: str | None = None

    @classmethod
    def of(cls, url: str | None) -> Self:
        name = repository_name(url)
        if url is None or name is None:
            return cls(None)
        parts = urlsplit(url)
        host = parts.hostname or ""
        between = _HOSTS.get(host)
        if between is None:
            return cls(name, url if parts.scheme == "https" else None)
        home = f"https://{host}/{parts.path.strip('/').removesuffix('.git')}"
        return cls(name, home, f"{home}{between}")

    def commit(self, sha: str) -> str | None:
        return None if self.pages is None else f"{self.pages}commit/{quote(sha)}"

    def comparison(self, before: str, after: str) -> str | None:
        return None if self.pages is None else f"{self.pages}compare/{quote(before)}...{quote(after)}"
