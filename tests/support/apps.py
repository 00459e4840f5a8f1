"""Sources of small apps, and how one talks to them."""

import asyncio
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

HTTP_APP = """
import http.server, json, os, pathlib

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        files = sorted(str(path) for path in pathlib.Path(".").iterdir())
        said = {"environment": dict(os.environ), "files": files, "uid": os.getuid(), "path": self.path}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        pathlib.Path(self.path.strip("/")).write_text("written at run time")
        self.do_GET()

    def log_message(self, *arguments):
        print("asked for", self.path, flush=True)

http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Answer).serve_forever()
"""

# Forks for ever; once it cannot, its processes stay, and the first one exits with 1 after a second, unless it serves.
FORK_BOMB = """
import os, signal, sys, time

first = os.getpid()
while True:
    try:
        os.fork()
    except OSError:
        print("cannot fork", flush=True)
        if os.getpid() == first and "serve" not in sys.argv:
            time.sleep(1)
            sys.exit(1)
        signal.pause()
"""


# Ends once somebody has connected to the app.
UNTIL_VISITED = """python3 -c 'import os, socket; socket.create_server(("", int(os.environ["PORT"]))).accept()'"""


def source(folder: Path, files: Mapping[str, str]) -> Path:
    """Write a tar like `git archive` makes it, and return its path."""
    archive = folder / "source.tar"
    with tarfile.open(archive, "w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            entry.mode = 0o664
            tar.addfile(entry, io.BytesIO(text.encode()))
    return archive


async def request(host: str, port: int, path: str = "/", method: str = "GET") -> bytes:
    """Return the whole answer to one HTTP request, made as soon as the port is open.

    Raises: OSError, TimeoutError after a minute.
    """
    async with asyncio.timeout(60):
        reader, writer = await _connection(host, port)
        writer.write(f"{method} {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        await writer.drain()
        try:
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


async def visit(host: str, port: int) -> None:
    """Connect, as soon as the port is open.

    Raises: OSError, TimeoutError after a minute.
    """
    async with asyncio.timeout(60):
        _, writer = await _connection(host, port)
    writer.close()


async def _connection(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; a port that is closed gives no sign when it opens, so that it is tried again and again."""
    while True:
        try:
            return await asyncio.open_connection(host, port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
