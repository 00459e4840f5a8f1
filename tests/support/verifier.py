"""`windlass verify` again and again, over one connection that is kept: starting the command costs more than it does."""

import asyncio
import os
from typing import Self

from support.platform import Platform
from windlass.api import Api, Json
from windlass.commands.operations import SERVICES
from windlass.commands.verify import verification, verified
from windlass.connection import find_connection


class Verifier:
    """Does what the command does, with what the command does it with, for the time of a `with` block."""

    def __init__(self, platform: Platform) -> None:
        environment = {**os.environ, "WINDLASS_HOME": str(platform.home)}
        self._connection = find_connection(environment, platform.home)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._api = self._runner.run(self._opened())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._api.__aexit__())
        self._runner.close()

    def verify(self) -> Json:
        """Return what the command prints with `--json`."""
        return verification(self._runner.run(verified(self._api, SERVICES, _tell_nobody)))

    async def _opened(self) -> Api:
        return await Api(self._connection).__aenter__()


def _tell_nobody(_service: str, _state: Json) -> None:
    """Take no note of how far a service is."""
