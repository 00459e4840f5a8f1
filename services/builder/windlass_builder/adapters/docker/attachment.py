"""The input and outputs of a container, over the connection that the engine hands over."""

import asyncio
import struct
from http import HTTPStatus

from aiodocker import Docker, DockerError
from aiodocker.containers import DockerContainer

from windlass_builder.adapters.docker.engine import engine_errors, find_container, is_missing
from windlass_builder.adapters.docker.hijacking import hijacked
from windlass_builder.adapters.docker.runners import runner_of
from windlass_builder.application.attachment import Piece
from windlass_builder.application.runtime_errors import EngineError, RunnerMissingError
from windlass_builder.domain.workloads import Exited, OutputStream
from windlass_contracts.run_frames import LARGEST_DATA, Size

# https://docs.docker.com/engine/api/v1.41/#tag/Container/operation/ContainerAttach, "Stream format"
_HEADER = struct.Struct(">BxxxL")
_STREAMS = {1: OutputStream.STDOUT, 2: OutputStream.STDERR}
_WITHOUT_SIZE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.INTERNAL_SERVER_ERROR)
_END_OF_FILE = b"\x04"
_DETACH_KEYS = "ctrl-@,ctrl-_,ctrl-@,ctrl-_"
"""What the engine takes for a wish to leave: nothing that anybody types. By default it would be Ctrl-P, Ctrl-Q."""


class ContainerAttachment:
    """`Attachment` to a container; open it before the container is started, and nothing is missed."""

    def __init__(self, docker: Docker, installation: str, container: DockerContainer, *, terminal: bool) -> None:
        self._docker = docker
        self._installation = installation
        self._container = container
        self._terminal = terminal

    async def open(self) -> None:
        wanted = dict.fromkeys(("stream", "stdin", "stdout", "stderr"), "1")
        query = {**wanted, "logs": "0", "detachKeys": _DETACH_KEYS}
        self._connection = await hijacked(self._docker, f"containers/{self._container.id}/attach", query)

    async def close(self) -> None:
        await self._connection.close()

    async def read(self) -> Piece | None:
        reader = self._connection.reader
        try:
            if self._terminal:
                data = await reader.read(LARGEST_DATA)
                return Piece(OutputStream.STDOUT, data) if data else None
            number, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
            return Piece(_STREAMS[number], await reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def write(self, data: bytes) -> None:
        try:
            self._connection.writer.write(data)
            await self._connection.writer.drain()
        except ConnectionError:  # it has ended, and takes no more
            return

    async def end_input(self) -> None:
        if self._terminal:
            await self.write(_END_OF_FILE)
        elif not self._connection.writer.is_closing():
            self._connection.writer.write_eof()

    async def resize(self, size: Size) -> None:
        if not self._terminal:
            return
        try:
            await self._container.resize(h=size.rows, w=size.columns)
        except DockerError as error:  # a container that has ended, or not begun, has no size
            if error.status not in _WITHOUT_SIZE:
                raise EngineError(f"The Docker engine did not resize a window: {error.message}") from error

    async def ended(self) -> Exited:
        with engine_errors("waiting for the end of a command"):
            try:
                await self._container.wait()
            except DockerError as error:
                if is_missing(error):
                    raise RunnerMissingError(self._container.id) from error
                raise
            found = await find_container(self._docker, self._container.id)
        if found is None:
            raise RunnerMissingError(self._container.id)
        state = runner_of(self._installation, found).state
        if not isinstance(state, Exited):
            raise EngineError("The Docker engine let go of a command while it is not over.")
        return state
