"""The time that all steps of a build have together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from windlass_builder.application.runtime_errors import BuildTimedOutError
from windlass_builder.domain.workloads import ReleaseSpec


@asynccontextmanager
async def bounded(spec: ReleaseSpec) -> AsyncIterator[None]:
    """Hold the block, in which the release is made, to the time that one of its steps may take.

    Raises: BuildTimedOutError.
    """
    steps = (spec.step, None if spec.layer is None else spec.layer.step)
    limit = max((step.timeout for step in steps if step is not None), default=None)
    try:
        async with asyncio.timeout(None if limit is None else limit.total_seconds()) as bound:
            yield
    except TimeoutError as error:
        if limit is None or not bound.expired():
            raise
        raise BuildTimedOutError(limit) from error
