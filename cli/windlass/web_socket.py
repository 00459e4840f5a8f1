"""WebSockets to an installation."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

from windlass.connection import Connection
from windlass.errors import UnreachableError

_LARGEST = 1024 * 1024
_LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def connected(
    connection: Connection, path: str, check: Callable[[httpx.Response], None]
) -> AsyncIterator[ClientConnection]:
    """Connect; `check` raises what an answer that is no connection means.

    Raises:
        CommandError: it cannot be done.
    """
    parts = urlsplit(connection.url)
    host = parts.hostname or ""
    there: dict[str, Any] = {"proxy": True}
    if host == "localhost" or host.endswith(".localhost"):  # loopback to browsers, but not to Python's resolver
        there = {"host": _LOOPBACK, "port": parts.port or 80, "proxy": None}
    url = parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl() + path
    headers = {"Authorization": f"Bearer {connection.token}"}
    try:
        websocket = await connect(
            url, additional_headers=headers, compression=None, max_size=_LARGEST, open_timeout=10, **there
        )
    except InvalidStatus as error:
        answer = error.response
        check(
            httpx.Response(
                answer.status_code, headers=list(answer.headers.raw_items()), content=bytes(answer.body or b"")
            )
        )
        raise UnreachableError(connection.url, "what answers speaks no WebSocket") from error
    except (InvalidURI, InvalidHandshake) as error:
        raise UnreachableError(connection.url, "what answers speaks no WebSocket") from error
    except (OSError, TimeoutError) as error:
        raise UnreachableError(connection.url, str(error) or "it took too long") from error
    async with websocket:
        yield websocket
