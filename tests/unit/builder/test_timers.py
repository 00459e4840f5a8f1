"""The timers of what is about to happen to deployments: none sleeps through a change."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from windlass_builder.application.timers import Timers
from windlass_contracts.ids import DeploymentId, ProjectId


async def test_what_changes_while_the_next_step_is_looked_for_is_looked_at_once_more() -> None:
    looks, over = list[DeploymentId](), asyncio.Event()

    async def look(project: ProjectId, deployment: DeploymentId) -> timedelta | None:
        looks.append(deployment)
        if len(looks) == 1:  # something changes: much later, by what was known then
            timers.watch(project, deployment)
            return timedelta(hours=1)
        over.set()
        return None

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        timers = Timers(look, tasks)
        timers.watch(ProjectId(uuid4()), DeploymentId(uuid4()))
        await over.wait()

    assert len(looks) == 2
