import asyncio
import ssl
from pathlib import Path

import pytest

from windlass.api import Api
from windlass.connection import Connection
from windlass.errors import UnreachableError
from windlass.up.default_certificate import keep_default_certificate


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    keep_default_certificate(certificate)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with await asyncio.start_server(_hang_up, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        async with Api(Connection(f"https://127.0.0.1:{port}", "token")) as api:
            with pytest.raises(UnreachableError) as refused:
                await api.get("/projects")
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value.__cause__)
