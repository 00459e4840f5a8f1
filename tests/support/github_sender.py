"""GitHub as a sender of webhooks: its documented payloads, signed and delivered over HTTP as it does.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import hmac
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx

_PAYLOADS = Path(__file__).with_name("github")
_NO_COMMIT = "0" * 40
PATH = "/api/github/webhook"
HEAD = "4f5c7d1e9a0b3c2d6e8f1a2b3c4d5e6f708192a3"
REPOSITORY = "https://github.com/Owner/Shop"

Payload = dict[str, Any]


def payload(event: str) -> Payload:
    """Return the payload of an event."""
    found: Payload = json.loads((_PAYLOADS / f"{event}.json").read_text(encoding="utf-8"))
    return found


def push(branch: str = "main", commit: str = HEAD, **changes: Any) -> Payload:  # noqa: ANN401 - parts of JSON
    """Return a push of a branch, with other parts changed."""
    body = payload("push")
    body["head_commit"]["id"] = commit
    return {**body, "ref": f"refs/heads/{branch}", "after": commit, **changes}


def pushed_tag(tag: str) -> Payload:
    return push(ref=f"refs/tags/{tag}", base_ref="refs/heads/main", commits=[])


def deleted_branch(branch: str) -> Payload:
    return push(branch, _NO_COMMIT, deleted=True, head_commit=None, commits=[])


def request_bytes(secret: str, body: bytes, host: str, delivery: str) -> bytes:
    """Return a signed push as it goes over the wire, for a sender that has no time to make it while it measures."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: {delivery}\r\n"
        f"X-Hub-Signature-256: sha256={hmac.new(secret.encode(), body, sha256).hexdigest()}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True, slots=True)
class GitHub:
    """Delivers what a repository's webhook is set up for; `secret` is what it was set up with."""

    client: httpx.AsyncClient
    secret: str
    url: str = PATH

    def sign(self, body: bytes) -> str:
        return f"sha256={hmac.new(self.secret.encode(), body, sha256).hexdigest()}"

    async def deliver(
        self, content: Payload | bytes, event: str = "push", *, delivery: str | None = None, form: bool = False
    ) -> httpx.Response:
        """Deliver an event; the same `delivery` is a redelivery. `form` is the other content type GitHub offers."""
        body = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
        if form:
            body = urlencode({"payload": body.decode()}).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Delivery": delivery or str(uuid4()),
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": "512345678",
            "X-GitHub-Hook-Installation-Target-ID": "812345678",
            "X-GitHub-Hook-Installation-Target-Type": "repository",
            "X-Hub-Signature": f"sha1={hmac.new(self.secret.encode(), body, 'sha1').hexdigest()}",
            "X-Hub-Signature-256": self.sign(body),
        }
        return await self.client.post(self.url, content=body, headers=headers)
