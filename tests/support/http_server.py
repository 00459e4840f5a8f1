"""The gateway's own HTTP server on a loopback port, a free one by default, for as long as a block lasts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from support.memory_gateway import MemoryGateway
from windlass_gateway.entrypoints.server import listen, serve_http


@asynccontextmanager
async def served(gateway: MemoryGateway, port: int = 0) -> AsyncIterator[str]:
    """Yield the URL; leaving the block stops the server in order."""
    started = asyncio.Event()
    with listen(port) as listener:
        telling = asyncio.ensure_future(gateway.hub.run())
        serving = asyncio.ensure_future(serve_http(gateway.app, listener, gateway.closing, started.set))
        ready = asyncio.ensure_future(started.wait())
        try:
            await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ready.cancel()
            telling.cancel()
            serving.cancel()
            for task in (telling, serving):
                with suppress(asyncio.CancelledError):
                    await task
