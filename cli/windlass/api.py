"""The API of an installation, as commands use it: JSON in and out, streams line by line, errors as sentences."""

import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

from windlass.connection import Connection
from windlass.errors import (
    InterruptedStreamError,
    NotWindlassError,
    RefusedError,
    UnansweredError,
    UnreachableError,
    WrongTokenError,
)

# None lets its import fail, which httpx expects: its command line, with click and pygments, is a seventh of our start.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # what the import system takes as well
import httpx  # noqa: E402 - as said

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_API = "/api/v1"
_TIMEOUT = httpx.Timeout(30, connect=5)
_PIECE_BYTES = 256 * 1024
_LOOPBACK = "127.0.0.1"

Json = Any


class Api:
    """One installation. Use as an async context manager."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._url = connection.url
        self._client = _client(connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    @property
    def url(self) -> str:
        return self._url

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        """Return what is at the path.

        Raises:
            CommandError: it cannot be had; the subclasses say why.
        """
        return await self._request("GET", path, query=query)

    async def post(self, path: str, body: Json, headers: Mapping[str, str] | None = None) -> Json:
        return await self._request("POST", path, body=body, headers=headers)

    async def put(self, path: str, body: Json) -> Json:
        return await self._request("PUT", path, body=body)

    async def patch(self, path: str, body: Json) -> Json:
        return await self._request("PATCH", path, body=body)

    async def delete(self, path: str, query: Mapping[str, Any] | None = None) -> Json:
        return await self._request("DELETE", path, query=query)

    async def upload(self, path: str, file: Path, size: int, told: Callable[[int], None]) -> Json:
        """Send a file as it is, and tell how many bytes of it are sent; repeat it if it breaks off.

        Raises:
            CommandError: it was not taken.
        """
        headers = {"Content-Length": str(size), "Content-Type": "application/zstd"}
        with self._reachable():
            answer = await self._client.put(
                _API + path, content=_read(file, told), headers=headers, timeout=httpx.Timeout(120, connect=5)
            )
        self._check(answer)
        return answer.json()

    async def lines(
        self, path: str, query: Mapping[str, Any] | None = None, *, method: str = "GET"
    ) -> AsyncGenerator[Json, None]:
        """Yield the documents of a stream as they arrive, until it ends.

        Raises:
            InterruptedStreamError: it broke off.
            CommandError: it cannot be had.
        """
        async with self._stream(method, path, query) as answer, aclosing(_documents(answer)) as documents:
            async for document in documents:
                if "problem" in document:
                    problem = document["problem"]
                    raise InterruptedStreamError(str(problem["detail"]), str(problem["next"]))
                yield document

    @asynccontextmanager
    async def frames(self, path: str, query: Mapping[str, Any]) -> "AsyncIterator[ClientConnection]":
        """Connect to a command by a WebSocket.

        Raises:
            CommandError: it cannot be done.
        """
        from windlass.web_socket import connected  # noqa: PLC0415 - few commands need it, and all would load it

        async with connected(self._connection, f"{_API}{path}?{urlencode(_given(query))}", self._check) as websocket:
            yield websocket

    @asynccontextmanager
    async def _stream(self, method: str, path: str, query: Mapping[str, Any] | None) -> AsyncIterator[httpx.Response]:
        with self._reachable():
            timeout = httpx.Timeout(5, read=None)
            async with self._client.stream(method, _API + path, params=_given(query), timeout=timeout) as answer:
                if answer.is_error:
                    await answer.aread()
                self._check(answer)
                yield answer

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        with self._reachable():
            answer = await self._client.request(method, _API + path, params=_given(query), json=body, headers=headers)
        self._check(answer)
        try:
            return answer.json()
        except ValueError as error:
            raise NotWindlassError(self._url) from error

    def _check(self, answer: httpx.Response) -> None:
        if not answer.is_error:
            return
        try:
            problem = answer.json()
            detail, remedy = str(problem["detail"]), str(problem["next"])
        except (ValueError, KeyError, TypeError) as error:
            if answer.status_code in {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}:
                raise UnansweredError(self._url, "its proxy runs, the gateway behind it does not") from error
            raise NotWindlassError(self._url) from error
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise WrongTokenError(self._url, detail)
        raise RefusedError(answer.status_code, detail, remedy)

    @contextmanager
    def _reachable(self) -> Any:  # noqa: ANN401 - a context manager without a value
        try:
            yield
        except httpx.ConnectError as error:
            raise UnreachableError(self._url, "nothing listens there") from error
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise UnreachableError(self._url, "it took too long") from error
        except httpx.TimeoutException as error:
            raise UnansweredError(self._url, "it took too long") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise UnreachableError(self._url, "that is no address") from error
        except httpx.RemoteProtocolError as error:
            raise UnansweredError(self._url, "the connection broke off") from error
        except (httpx.ReadError, httpx.WriteError, httpx.CloseError) as error:
            raise UnansweredError(self._url, str(error) or "the connection broke off") from error
        except httpx.TransportError as error:
            raise UnreachableError(self._url, str(error) or "the connection failed") from error


def _client(connection: Connection) -> httpx.AsyncClient:
    """Return a client; names below `localhost` are loopback to browsers, but not to Python's resolver."""
    headers = {"Authorization": f"Bearer {connection.token}"}
    try:
        parts = urlsplit(connection.url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UnreachableError(connection.url, "that is no address") from error
    base, is_local = connection.url, host == "localhost" or host.endswith(".localhost")
    if is_local:
        base = parts._replace(netloc=_LOOPBACK if port is None else f"{_LOOPBACK}:{port}").geturl()
        headers["Host"] = parts.netloc
    try:
        return httpx.AsyncClient(
            base_url=base,
            headers=headers,
            timeout=_TIMEOUT,
            trust_env=not (is_local or host == _LOOPBACK),
            verify=parts.scheme == "https",  # reading all authorities takes 0.1 s
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UnreachableError(connection.url, "that is no address, or the token is none") from error


async def _read(file: Path, told: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    done = 0
    with file.open("rb") as content:
        while piece := content.read(_PIECE_BYTES):
            yield piece
            done += len(piece)
            told(done)


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


async def _documents(answer: httpx.Response) -> AsyncGenerator[Json, None]:
    """Yield a document for each line; texts in them may hold what else ends lines, U+2028 for one."""
    begun: list[bytes] = []
    async for part in answer.aiter_bytes():
        *ends, rest = part.split(b"\n")
        for end in ends:
            if line := b"".join([*begun, end]):
                yield json.loads(line)
            begun.clear()
        begun.append(rest)
    if last := b"".join(begun):
        yield json.loads(last)
