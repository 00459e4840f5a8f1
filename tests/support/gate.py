"""A gate before which commands of this machine wait until a test opens it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer

_WAITS = "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {})).recv(1)'"


@contextmanager
def gate() -> Iterator[tuple[str, threading.Event]]:
    """Yield a command that ends once the event is set, which is yielded too; it is set at the end of the block."""
    opened = threading.Event()

    class Keeper(BaseRequestHandler):
        def handle(self) -> None:
            opened.wait()

    with ThreadingTCPServer(("127.0.0.1", 0), Keeper) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield _WAITS.format(server.server_address[1]), opened
        finally:
            opened.set()
            server.shutdown()
            thread.join()
