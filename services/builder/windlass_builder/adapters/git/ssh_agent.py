"""An SSH agent with a single key, in this process: the key is on no disk, in no environment, and ends with us.

Of the protocol (draft-miller-ssh-agent) it speaks what `ssh` needs to sign in: list the keys, sign with one.
"""

import asyncio
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

_FAILURE, _LIST, _KEYS, _SIGN, _SIGNATURE = 5, 11, 12, 13, 14
_LARGEST = 256 * 1024
_KIND = b"ssh-ed25519"


@asynccontextmanager
async def ssh_agent(private_key: str) -> AsyncIterator[Path]:
    """Yield the socket at which `ssh` of this user, and nobody else, finds the key."""
    key = load_ssh_private_key(private_key.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"deploy keys are Ed25519 keys, and not {type(key).__name__}"
        raise TypeError(msg)
    agent = _Agent(key)
    with tempfile.TemporaryDirectory(prefix="windlass-", ignore_cleanup_errors=True) as folder:
        socket = Path(folder, "agent")
        async with await asyncio.start_unix_server(agent.serve, socket):
            yield socket


class _Agent:
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._blob = _text(_KIND) + _text(public)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until `ssh` hangs up."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = struct.unpack(">I", await reader.readexactly(4))
                if not 0 < length <= _LARGEST:
                    break
                writer.write(_text(self._answer(await reader.readexactly(length))))
                await writer.drain()
        writer.close()

    def _answer(self, request: bytes) -> bytes:
        kind, rest = request[0], request[1:]
        if kind == _LIST:
            return bytes([_KEYS]) + struct.pack(">I", 1) + _text(self._blob) + _text(b"windlass")
        if kind == _SIGN:
            blob, rest = _cut(rest)
            data, _ = _cut(rest)
            if blob == self._blob:
                return bytes([_SIGNATURE]) + _text(_text(_KIND) + _text(self._key.sign(data)))
        return bytes([_FAILURE])


def _text(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _cut(content: bytes) -> tuple[bytes, bytes]:
    """Return the text that the content begins with, and the rest; both are short where they are cut off."""
    length = int.from_bytes(content[:4], "big")
    return content[4 : 4 + length], content[4 + length :]
