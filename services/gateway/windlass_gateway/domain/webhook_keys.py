"""The secrets of webhooks, all derived from one key of the installation: none has to be stored, and none tells another.

Each is HMAC-SHA256 of what it is for (RFC 2104), so that nobody who knows one of them finds the key or the others.
"""

import base64
import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from windlass_contracts.ids import ProjectId

_UUID_BYTES = 16
_HEX_DIGITS = 64
_GITHUB_PREFIX = "sha256="


@dataclass(frozen=True, slots=True)
class WebhookKeys:
    """Derives from the installation's key."""

    key: bytes = field(repr=False)

    @property
    def github_secret(self) -> str:
        """What the webhook of every repository at GitHub is set up with."""
        return self._derived("github").hex()

    def project_secret(self, project: ProjectId) -> str:
        """Return a project's own secret, as Standard Webhooks writes secrets."""
        return f"whsec_{base64.b64encode(self._derived('project', str(project))).decode()}"

    def person(self, who: str) -> UUID:
        """Return a pseudonym: the same for the same person, and found by nobody without the key."""
        return self._identity("person", who.casefold())

    def note(self, key: str, project: ProjectId) -> UUID:
        """Return the id of the note that a request with that key brings for a project."""
        return self._identity("note", key, str(project))

    def signed_by_github(self, body: bytes, signature: str | None) -> bool:
        """Whether the signature is GitHub's of this body; takes the same time for every signature that is not."""
        expected = hmac.digest(self.github_secret.encode(), body, sha256)
        return hmac.compare_digest(expected, _digest_of(signature))

    def _identity(self, *purpose: str) -> UUID:
        return UUID(bytes=self._derived(*purpose)[:_UUID_BYTES], version=4)

    def _derived(self, *purpose: str) -> bytes:
        text = "".join(f"{len(part)}:{part}" for part in purpose)
        return hmac.digest(self.key, text.encode(errors="surrogatepass"), sha256)


def _digest_of(signature: str | None) -> bytes:
    """Return what a header says, or a digest that nothing has."""
    written = (signature or "").removeprefix(_GITHUB_PREFIX)
    try:
        return bytes.fromhex(written) if len(written) == _HEX_DIGITS else bytes(sha256().digest_size)
    except ValueError:
        return bytes(sha256().digest_size)
